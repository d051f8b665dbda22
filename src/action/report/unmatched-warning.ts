/** Lines of the input `image` that match nothing, where that is no mistake: one warning for the step. */

import { warning } from "@actions/core";
import { counted } from "../results/findings.ts";
import { safeLines, shortened } from "./safe-text.ts";

const SHOWN = 20;
/** Where a runner cuts. */
const MAX_LENGTH = 4096;

/** @param sentences one a line */
export function warnOfUnmatched(sentences: readonly string[]): void {
  if (sentences.length === 0) return;
  const hidden = sentences.length - SHOWN;
  const told = [...sentences.slice(0, SHOWN), ...(hidden > 0 ? [`${counted(hidden, "more line")} match nothing`] : [])];
  warning(shortened(safeLines(told.join("\n")), MAX_LENGTH, " …"), { title: "Images not found" });
}
