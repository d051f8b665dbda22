/** Leaks that may be the only trace of lost data are said loudly, also where nothing fails on them. */

import { warning } from "@actions/core";
import type { ImageResult } from "../results/image-result.ts";
import { leaksGivenUpOf, leaksText } from "../results/leaks-given-up.ts";
import { safeLine, shortened } from "./safe-text.ts";

/** A runner shows ten of a kind for a step; these come first. */
const SHOWN = 4;
const MAX_LENGTH = 4096;

export function warnOfLeaks(results: readonly ImageResult[], dryRun: boolean): void {
  const all = results.flatMap(({ image, report, failure }) => {
    const leaks = failure === undefined && report ? leaksGivenUpOf(report) : undefined;
    return leaks?.isSuspicious ? [`${image} ${dryRun ? "would give" : "gave"} up ${leaksText(leaks)}`] : [];
  });
  const told = all.length > SHOWN ? [...all.slice(0, SHOWN), `${all.length - SHOWN} more, see the summary`] : all;
  for (const text of told) warning(shortened(safeLine(text), MAX_LENGTH, " …"), { title: "Leaks given up" });
}
