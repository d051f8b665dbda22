/** What a check comes to: its exit code, which is qemu-img's own, and one word for it. */

import type { CheckResult } from "../image/finding.ts";

/** Exit codes of `qemu-img check`. */
export const CheckExit = { clean: 0, failed: 1, corrupt: 2, leaks: 3, unsupported: 63 } as const;

/** Worst last. */
export const VERDICTS = ["clean", "unsupported", "leaks", "corrupt"] as const;
export type Verdict = (typeof VERDICTS)[number];

export function checkExitCode(result: CheckResult): number {
  if (result.checkErrors > 0) return CheckExit.failed;
  if (result.corruptions > 0) return CheckExit.corrupt;
  return result.leaks > 0 ? CheckExit.leaks : CheckExit.clean;
}

export function verdictOf({
  checkErrors,
  corruptions,
  leaks,
}: Pick<CheckResult, "checkErrors" | "corruptions" | "leaks">): Verdict {
  if (checkErrors + corruptions > 0) return "corrupt";
  return leaks > 0 ? "leaks" : "clean";
}
