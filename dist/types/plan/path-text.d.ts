/** A path in words: what each step does, and how the image comes back from it. */
import type { RearrangeGoal } from "./path.ts";
/** A step as reports have it. */
export type ToldStep = {
    readonly step: "switch";
    readonly to: string;
} | {
    readonly step: "rearrange";
    readonly goal: RearrangeGoal;
};
/** Bytes of the guest's disk that change, as reports have them. */
export interface ToldChange {
    readonly guestOffset: number;
    readonly length: number;
    readonly what: string;
}
/** One phrase for each, e.g. `protective MBR: 512 bytes at 0x0`. */
export declare function changeTexts(changes?: readonly ToldChange[]): readonly string[];
/** One phrase a step, e.g. `switch to qcow2, its tables behind the disk`. */
export declare function stepTexts(path: readonly ToldStep[]): readonly string[];
/** What `rollback` leads to, by how far the path has come. */
export declare function wayBackText(path: readonly ToldStep[], sourceFormat: string): string;
