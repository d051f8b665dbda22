/**
 * Refcount table and blocks of a qcow2 target: every used cluster counts exactly, they themselves included
 * (docs/interop/qcow2.txt, "Host cluster management").
 */
import type { Write } from "../../image/write.ts";
import type { ClusterUsage } from "./cluster-usage.ts";
/** Tables are streamed in writes of at most this many bytes. */
export declare const CHUNK_SIZE = 1048576;
export interface RefcountLayout {
    readonly refcountBits: number;
    readonly clustersPerBlock: number;
    /** The entries of the refcount table that have a block, ascending; all others stay 0. */
    readonly blockIndexes: readonly number[];
    readonly blocksHostOffset: number;
    readonly tableHostOffset: number;
    readonly tableClusterCount: number;
    /** One past the table's last cluster. */
    readonly end: number;
}
/** Largest number that a refcount of this width holds; 64 bits are more than we ever count. */
export declare function maxRefcount(refcountBits: number): number;
/**
 * Finds room for blocks and table from `hostOffset` on, and counts them and what lies between `tablesHostOffset` and
 * `hostOffset` in `usage`. More blocks can need more blocks, so it repeats until nothing grows.
 * @throws ImageError `out-of-bounds` when the table would be larger than 8 MiB.
 */
export declare function layOutRefcounts(usage: ClusterUsage, refcountBits: number, tablesHostOffset: number, hostOffset: number): RefcountLayout;
/** The blocks, then the table, in ascending order. */
export declare function refcountWrites(layout: RefcountLayout, usage: ClusterUsage): Generator<Write>;
