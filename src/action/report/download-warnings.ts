/** What nobody has proven is said loudly: a download without a digest could be anyone's. */

import { warning } from "@actions/core";
import type { ImageResult } from "../results/image-result.ts";
import { safeLine, shortened } from "./safe-text.ts";

/** A runner shows ten of a kind for a step. */
const SHOWN = 8;
const MAX_LENGTH = 4096;

export function warnOfDownloads(results: readonly ImageResult[]): void {
  // An archive's images share one.
  const all = [...new Set(results.flatMap(({ download }) => download?.warnings ?? []))];
  const told = all.length > SHOWN ? [...all.slice(0, SHOWN), `${all.length - SHOWN} more, see the summary`] : all;
  for (const text of told) warning(shortened(safeLine(text), MAX_LENGTH, " …"), { title: "Download" });
}
