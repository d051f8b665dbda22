/** A path in words: what each step does, and how the image comes back from it. */
import type { RearrangeGoal } from "./path.ts";
/** One step of a conversion, as reports have it: a switch to a format, or a rearrangement inside one. */
export type PathStep = {
    readonly step: "switch";
    readonly to: string;
} | {
    readonly step: "rearrange";
    readonly goal: RearrangeGoal;
};
/** Bytes of the guest's disk that change as was asked for, as reports have them. */
export interface GuestChange {
    readonly guestOffset: number;
    readonly length: number;
    /** e.g. `backup header of the GPT`. */
    readonly what: string;
}
/** One phrase for each, e.g. `protective MBR: 512 bytes at 0x0`. */
export declare function changeTexts(changes?: readonly GuestChange[]): readonly string[];
/** One phrase a step, e.g. `switch to qcow2, its tables behind the disk`. */
export declare function stepTexts(path: readonly PathStep[]): readonly string[];
/** What `rollback` leads to, by how far the path has come. */
export declare function wayBackText(path: readonly PathStep[], sourceFormat: string): string;
