/** What the last check of one image found, and what of it is news beside its failure. */

import type { Finding } from "../../index.ts";
import { countsText, worstFirst } from "./findings.ts";
import { type ImageResult, lastCheck } from "./image-result.ts";

/** All that the last check kept, the worst first, else in the order found. */
export function findingsOf(result: ImageResult): readonly Finding[] {
  return worstFirst(lastCheck(result)?.findings ?? []);
}

/** What a failure's message does not say already, nor a finding. */
export function furtherReasons(result: ImageResult): readonly string[] {
  const { message = "", reasons = [] } = result.failure ?? {};
  const found = new Set(findingsOf(result).map((finding) => finding.message));
  return reasons.filter((reason) => !found.has(reason) && !message.includes(reason));
}

/** What failed an image whose check did; undefined where something else is the reason. */
export function countsOfFailure(result: ImageResult): string | undefined {
  const found = lastCheck(result);
  const isOfCheck = ["corrupt", "leaks", "warnings"].includes(result.failure?.kind ?? "");
  const counts = found && isOfCheck ? countsText(found) : "clean";
  return counts === "clean" ? undefined : counts;
}
