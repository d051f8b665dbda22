/** What `fail-on` makes of a check: a failure that tells the worst findings and what mends them, or none. */

import type { CheckResult, Finding } from "../../index.ts";
import type { FailOn } from "../inputs/inputs.ts";
import type { ImageFailure } from "../results/image-result.ts";

type Counts = Pick<CheckResult, "corruptions" | "leaks" | "checkErrors" | "warnings" | "findings">;

/** Rising: each fails on what stands before it too. */
const SEVERITIES: Readonly<Record<FailOn, readonly Finding["severity"][]>> = {
  corruption: ["corruption", "error"],
  leak: ["corruption", "error", "leak"],
  warning: ["corruption", "error", "leak", "warning"],
};
const KINDS = { corruption: "corrupt", error: "corrupt", leak: "leaks", warning: "warnings" } as const;

/** An image's own annotation has room for so many. */
const SHOWN = 8;

/**
 * @param when e.g. `the check after the conversion`
 * @param advice what to do, in one sentence
 */
export function checkFailure(
  path: string,
  check: Counts,
  failOn: FailOn,
  when: string,
  advice: string,
): ImageFailure | undefined {
  const counts = {
    corruption: check.corruptions,
    error: check.checkErrors,
    leak: check.leaks,
    warning: check.warnings,
  };
  const severities = SEVERITIES[failOn];
  const worst = severities.find((severity) => counts[severity] > 0);
  if (worst === undefined) return undefined;
  const found = severities.filter((severity) => counts[severity] > 0);
  const findings = found.flatMap((severity) => check.findings.filter((each) => each.severity === severity));
  return {
    kind: KINDS[worst],
    message: `Cannot pass ${path}: ${when} found ${amounts(check)}`,
    reasons: findings.slice(0, SHOWN).map(({ message }) => message),
    advice,
    details: { failOn },
  };
}

/** `2 corruptions, 1 leaked cluster`; `nothing` where there is nothing. */
export function amounts({ corruptions, leaks, checkErrors, warnings }: Omit<Counts, "findings">): string {
  const words = [
    [corruptions, "corruption", "corruptions"],
    [checkErrors, "error of the check itself", "errors of the check itself"],
    [leaks, "leaked cluster", "leaked clusters"],
    [warnings, "warning", "warnings"],
  ] as const;
  const said = words.flatMap(([count, one, many]) => (count > 0 ? [`${count} ${count === 1 ? one : many}`] : []));
  return said.join(", ") || "nothing";
}
