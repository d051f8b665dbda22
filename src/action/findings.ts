/** What the checks of an image found, the worst first, and in words. */

import type { CheckResult, Finding, FindingSeverity } from "../index.ts";
import { type ImageResult, lastCheck } from "./image-result.ts";

const SEVERITIES = ["corruption", "error", "leak", "warning"] as const satisfies readonly FindingSeverity[];

export type Counts = Pick<CheckResult, "corruptions" | "checkErrors" | "leaks" | "warnings">;

/** All that the last check kept, the worst first, else in the order found. */
export function findingsOf(result: ImageResult): readonly Finding[] {
  return worstFirst(lastCheck(result)?.findings ?? []);
}

/** Else in the order found. */
export function worstFirst<T extends Pick<Finding, "severity">>(findings: readonly T[]): readonly T[] {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

/** What a failure's message does not say already, nor a finding. */
export function furtherReasons(result: ImageResult): readonly string[] {
  const { message = "", reasons = [] } = result.failure ?? {};
  const found = new Set(findingsOf(result).map((finding) => finding.message));
  return reasons.filter((reason) => !found.has(reason) && !message.includes(reason));
}

/** `corruption: refcount block 0 …`. */
export function findingLine({ severity, message }: Finding): string {
  return `${severity}: ${message}`;
}

/** `clean`, or `2 corruptions, 7 leaked clusters`. */
export function countsText({ corruptions, checkErrors, leaks, warnings }: Counts): string {
  const words = [
    [corruptions, "corruption"],
    [checkErrors, "error"],
    [leaks, "leaked cluster"],
    [warnings, "warning"],
  ] as const;
  return words.flatMap(([count, word]) => (count > 0 ? [counted(count, word)] : [])).join(", ") || "clean";
}

/** What failed an image whose check did; undefined where something else is the reason. */
export function countsOfFailure(result: ImageResult): string | undefined {
  const found = lastCheck(result);
  const isOfCheck = ["corrupt", "leaks", "warnings"].includes(result.failure?.kind ?? "");
  const counts = found && isOfCheck ? countsText(found) : "clean";
  return counts === "clean" ? undefined : counts;
}

/** `1 image`, `1,000 images`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
