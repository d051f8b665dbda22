/** What is told of an error that is none of ours: one sentence, and where it came up only in a debug run. */

import { isDebug } from "@actions/core";

export function defectText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // RUNNER_DEBUG: "Re-run jobs" with debug logging.
  return isDebug() ? (error.stack ?? error.message) : `${error.message}; run it again with debug logging for where`;
}
