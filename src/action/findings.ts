/** What the checks of an image found, the worst first, and in words. */

import type { CheckResult, Finding, FindingSeverity } from "../index.ts";
import type { ImageResult } from "./image-result.ts";

const SEVERITIES = ["corruption", "error", "leak", "warning"] as const satisfies readonly FindingSeverity[];

/** The last check of the image, undefined where none was made. */
export function lastCheckOf({ report, check }: ImageResult): CheckResult | undefined {
  return report?.check.after ?? report?.check.before ?? check;
}

export type Counts = Pick<CheckResult, "corruptions" | "checkErrors" | "leaks" | "warnings">;

/** All that the last check kept, the worst first, else in the order found. */
export function findingsOf(result: ImageResult): readonly Finding[] {
  const findings = lastCheckOf(result)?.findings ?? [];
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
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

/** `1 image`, `1,000 images`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
