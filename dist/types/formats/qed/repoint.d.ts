/** Re-pointing: L2 entries of the live tables that must follow their data to a new place (settle.ts, step 2). */
import { RangeSet } from "../../bytes/range-set.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { Write } from "../../image/write.ts";
import { type EntryRun } from "./entry-encoder.ts";
import type { Relocation } from "./relocation.ts";
/** Whole sectors of entries, in guest clusters, that point at what has moved from below `endCluster`. */
export declare function staleSectors(extents: ExtentTable, clusterSize: number, relocation: Relocation, endCluster: number): RangeSet;
/** The new bytes of `sectors`, each in the live table that covers it. */
export declare function repointingWrites(sectors: RangeSet, runs: Iterable<EntryRun>, liveTables: ReadonlyMap<number, number>, clusterSize: number, entryCount: number): Generator<Write>;
