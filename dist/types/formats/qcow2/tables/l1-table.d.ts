/** L1 tables, the active one and those of snapshots: their entries in typed columns (docs/interop/qcow2.txt). */
import { type Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import type { ReferenceTally } from "./reference-tally.ts";
import { type L1Entry } from "./table-entry.ts";
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
/** An L1 entry that is not blank, with its place in the table and its bits as they are stored. */
export interface StoredL1Entry extends L1Entry {
    readonly index: number;
    readonly high: number;
    readonly low: number;
}
/** Reads an L1 table that the caller has bounded; what lies past the end of file is blank. */
export declare function readL1Bytes(storage: Storage, { hostEnd }: Qcow2Geometry, { hostOffset, entryCount }: Pick<L1Place, "hostOffset" | "entryCount">): Promise<DataView>;
/** The entries that are not blank, in order. */
export declare function l1Entries(table: DataView): Generator<StoredL1Entry>;
/**
 * Reads an L1 table that the caller has bounded, counts its own clusters and one reference to each L2 table, and
 * lists the L2 tables that lie in the file.
 */
export declare function readL1Table(storage: Storage, geometry: Qcow2Geometry, tally: ReferenceTally, place: L1Place): Promise<L2List>;
/** Counts the reference to an entry's L2 table and says what is wrong with it; true where the table can be read. */
export declare function countL1Entry(geometry: Qcow2Geometry, tally: ReferenceTally, { hostOffset: tableHostOffset, isActive, name }: L1Place, { index, high, low, hostOffset, copied, hasReservedBits }: StoredL1Entry): boolean;
