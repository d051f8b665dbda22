/** What a check comes to: its exit code, which is qemu-img's own, and one word for it. */
import type { CheckResult } from "../image/finding.ts";
/** Exit codes of `qemu-img check`. */
export declare const CheckExit: {
    readonly clean: 0;
    readonly failed: 1;
    readonly corrupt: 2;
    readonly leaks: 3;
    readonly unsupported: 63;
};
/** Worst last. */
export declare const VERDICTS: readonly ["clean", "unsupported", "leaks", "corrupt"];
export type Verdict = (typeof VERDICTS)[number];
export declare function checkExitCode(result: CheckResult): number;
export declare function verdictOf({ checkErrors, corruptions, leaks, }: Pick<CheckResult, "checkErrors" | "corruptions" | "leaks">): Verdict;
