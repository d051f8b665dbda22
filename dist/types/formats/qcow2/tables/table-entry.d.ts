/** Entries of L1 and of the refcount table: one host offset and some bits (docs/interop/qcow2.txt, "Cluster mapping"). */
/** An L1 entry; `hostOffset` 0 is no L2 table. */
export interface L1Entry {
    readonly hostOffset: number;
    readonly copied: boolean;
    readonly hasReservedBits: boolean;
}
export declare function parseL1Entry(high: number, low: number): L1Entry;
/** A refcount table entry; `hostOffset` 0 is no refcount block: all its refcounts are 0. May exceed 2^53. */
export interface RefcountTableEntry {
    readonly hostOffset: number;
    readonly hasReservedBits: boolean;
}
/** Bits 0 to 8 of an entry's low half. */
export declare const RESERVED_LOW = 511;
export declare function parseRefcountTableEntry(high: number, low: number): RefcountTableEntry;
/** 64 bits as `%lx` prints them. */
export declare function hexOfHalves(high: number, low: number): string;
