/** What a recovery came to, in one sentence for people. */

import type { Intent } from "../journal/state.ts";
import type { RecoveryReport } from "./report.ts";

export function recoveryReport(path: string, format: string, purpose: Intent["purpose"], how: string): RecoveryReport {
  const outcome = purpose === "roll-back" ? "rolled-back" : "resumed";
  return { image: path, format, outcome, message: `${path} is ${format}: ${how}`, notes: [] };
}
