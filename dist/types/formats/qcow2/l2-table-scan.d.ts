/** Reads the entries of one L2 table as runs; the loop that every walk spends its time in. */
import type { Qcow2Geometry } from "./geometry.ts";
/** What is wrong with an entry; `offset` names the host offset in question. */
export type L2Defect = "reserved-bits" | "entry-unaligned" | "zero-flag-in-version-2" | "zero-flag-with-subclusters" | "copied-compressed" | "compressed-subclusters" | "invalid-subclusters" | "subclusters-without-cluster";
/** Hears the runs of one table, in order; together they cover every entry. */
export interface L2Sink {
    unallocated(entryCount: number): void;
    /** Zero clusters without a place in the file. */
    zeros(entryCount: number): void;
    /** `entryCount` clusters that lie one after the other; `isZero`: preallocated, but reading as zeros. */
    clusters(isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void;
    compressed(hostOffset: number, storedLength: number): void;
    /** One cluster whose subclusters differ; `hostOffset` 0: it has no place. Halves of the bitmap as stored. */
    subclusters(hostOffset: number, isCopied: boolean, allocated: number, zero: number): void;
    /** Said before the entry's own call. */
    defect(defect: L2Defect, entryIndex: number, hostOffset: number): void;
}
export declare function scanL2Table(table: Uint8Array, geometry: Qcow2Geometry, sink: L2Sink): void;
