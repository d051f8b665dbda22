/** L1 tables, the active one and those of snapshots: their entries in typed columns (docs/interop/qcow2.txt). */
import { type Storage } from "../../storage/storage.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import type { ReferenceTally } from "./reference-tally.ts";
/** The L2 tables that one L1 table lists, in its order; columns are parallel. */
export interface L2List {
    readonly l1Index: Uint32Array;
    readonly hostOffset: Float64Array;
}
/** How an L1 table is to be read and named. */
export interface L1Place {
    readonly hostOffset: number;
    readonly entryCount: number;
    /** The active L1's COPIED flags are checked, those of snapshots mean nothing. */
    readonly isActive: boolean;
    /** `L1 table`, `L1 table of snapshot 1 (one)`. */
    readonly name: string;
}
/**
 * Reads an L1 table that the caller has bounded, counts its own clusters and one reference to each L2 table, and
 * lists the L2 tables that lie in the file.
 */
export declare function readL1Table(storage: Storage, geometry: Qcow2Geometry, tally: ReferenceTally, { hostOffset, entryCount, isActive, name }: L1Place): Promise<L2List>;
