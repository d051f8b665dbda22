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
/** One phrase a step, e.g. `switch to qcow2, its tables behind the disk`. */
export declare function stepTexts(path: readonly ToldStep[]): readonly string[];
/** What `rollback` leads to, by how far the path has come. */
export declare function wayBackText(path: readonly ToldStep[], sourceFormat: string): string;
