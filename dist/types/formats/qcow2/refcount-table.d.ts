/** The refcount table and the width of its counts: where the blocks lie, and what one of them says (docs/interop/qcow2.txt, "Host cluster management"). */
import type { WalkSource } from "./table-walk.ts";
/** Place of a block that its table entry does not give: all its refcounts read as 0. */
export declare const NO_BLOCK = 0;
/** Place of a block that can't be read: its refcounts are unknown. */
export declare const UNREADABLE_BLOCK = -1;
/** Host offset of each refcount block, or NO_BLOCK, or UNREADABLE_BLOCK. */
export type RefcountBlocks = Float64Array;
/** The largest count that a refcount can say. */
export declare function maxRefcount(refcountBits: number): number;
/** Refcounts in one block. */
export declare function refcountsPerBlock(clusterSize: number, refcountBits: number): number;
/**
 * Reads the refcount table, counts it and its blocks. To be called last, since a block must not be referenced by
 * anything else.
 */
export declare function readRefcountTable({ storage, header, geometry, tally }: WalkSource): Promise<RefcountBlocks>;
/** One refcount of a block; widths below 8 bits count from the least significant bit of a byte. */
export declare function refcountAt(block: DataView, index: number, refcountBits: number): number;
