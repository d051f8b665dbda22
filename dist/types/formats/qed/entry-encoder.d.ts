/** The way back: from extents to L2 entries, in guest order and without ever holding all of them. */
import { type ExtentTable } from "../../image/extent.ts";
import type { Relocation } from "./relocation.ts";
/** Neighbouring guest clusters whose entries follow from one another. Addresses in clusters. */
export interface EntryRun {
    readonly guestCluster: number;
    readonly count: number;
    /** Where the first lies, or -1 for clusters that read as zeros. */
    readonly hostCluster: number;
    /** Where it lay before the relocation; the same for what stays. */
    readonly fromCluster: number;
}
/** The allocated clusters of a mapping in guest order, where they lie or, with a relocation, where they will. */
export declare function entryRuns(extents: ExtentTable, clusterSize: number, relocation?: Relocation): Generator<EntryRun>;
/** Fills ranges of L2 entries from runs; ranges must be asked for in ascending guest order. */
export declare class EntryEncoder {
    #private;
    constructor(runs: Iterable<EntryRun>, clusterSize: number);
    /** Sets the entries of `count` guest clusters from `firstGuestCluster`, from entry `index` of `words` on. */
    fill(words: Uint32Array, index: number, firstGuestCluster: number, count: number): void;
}
