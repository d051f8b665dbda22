/** What `qemu-img check` prints on stdout, word for word (learned by running qemu-img 7.2). */
import type { CheckResult } from "../image/finding.ts";
/** What a repair put right, as the fixed part of qemu-img's text counts it. */
export interface RepairedCounts {
    readonly leaksFixed: number;
    readonly corruptionsFixed: number;
}
/** The part before the second check; empty where nothing was repaired. */
export declare function fixedText({ leaksFixed, corruptionsFixed }: RepairedCounts): string;
/** The verdict and the statistics; ends with a line break. */
export declare function resultText(result: CheckResult): string;
