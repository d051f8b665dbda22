/** A mapping: where every byte of the guest's disk lies in the file, as a table of extents in typed columns. */
/**
 * What a guest range is made of.
 *
 * - `data`: the bytes at `hostOffset`.
 * - `zero`: reads as zeros whatever lies below; `hostOffset` is the preallocated place, or -1.
 * - `unallocated`: falls through to the backing file, or reads as zeros without one; `hostOffset` is -1.
 * - `compressed`: one source cluster, deflated or zstd, in `storedLength` bytes at `hostOffset`.
 */
export declare const ExtentState: {
    readonly data: 0;
    readonly zero: 1;
    readonly unallocated: 2;
    readonly compressed: 3;
};
export type ExtentState = (typeof ExtentState)[keyof typeof ExtentState];
/** `hostOffset` of an extent that lies nowhere in the file. */
export declare const NOWHERE = -1;
/** One row of an ExtentTable, for callers off the hot path. Lengths and offsets in bytes. */
export interface Extent {
    readonly guestOffset: number;
    readonly hostOffset: number;
    readonly length: number;
    readonly state: ExtentState;
    readonly storedLength: number;
}
/**
 * Extents sorted by guest offset that cover [0, virtualSize) without gap or overlap.
 *
 * Columns are parallel; row i is guest bytes guestOffset[i] .. guestOffset[i] + length[i].
 * Data extents are merged wherever guest and host are both contiguous.
 */
export interface ExtentTable {
    readonly count: number;
    readonly guestOffset: Float64Array;
    readonly hostOffset: Float64Array;
    readonly length: Float64Array;
    readonly state: Uint8Array;
    readonly storedLength: Uint32Array;
}
export declare function extentAt(table: ExtentTable, row: number): Extent;
export declare function eachExtent(table: ExtentTable): Generator<Extent>;
/** Whether the guest's bytes lie in the file: all else reads as zeros, or shows what lies below. */
export declare function isStored(state: number | undefined): boolean;
/** Guest bytes that lie in a file, plain or compressed: what a digest has to read. */
export declare function storedGuestBytes({ count, length, state }: ExtentTable): number;
/** Where the disk that the table covers ends. */
export declare function guestEndOf({ count, guestOffset, length }: ExtentTable): number;
/** The row that holds `guestOffset`, by bisection; -1 past the end. */
export declare function findRow(table: ExtentTable, guestOffset: number): number;
/** The first row in which two tables differ, or -1. Tables are canonical, so equal mappings are equal tables. */
export declare function firstDifference(a: ExtentTable, b: ExtentTable): number;
/** Collects extents in guest order, merges neighbours, and proves that there is no gap and no overlap. */
export declare class ExtentTableBuilder {
    #private;
    /** Appends the next `length` bytes of guest. Empty extents are passed over. */
    append(length: number, state: ExtentState, hostOffset?: number, storedLength?: number): void;
    /** Guest bytes appended so far. */
    get end(): number;
    /** Closes the table; throws unless it ends exactly at `virtualSize`. */
    finish(virtualSize: number): ExtentTable;
}
