/** What checks find, the worst first, and in words. */

import type { CheckResult, Finding, FindingSeverity } from "../../index.ts";

const SEVERITIES = ["corruption", "error", "leak", "warning"] as const satisfies readonly FindingSeverity[];

export type Counts = Pick<CheckResult, "corruptions" | "checkErrors" | "leaks" | "warnings">;

/** Else in the order found. */
export function worstFirst<T extends Pick<Finding, "severity">>(findings: readonly T[]): readonly T[] {
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
