/**
 * Where the tables of a QED file lie that we write, and their bytes (QED specification, "Tables").
 *
 *   after the switch, before settling                     settled: N = H + D + T clusters
 *
 *   0        H                old end   tablesStart       0        H              N - T
 *   +--------+----------------+---------+-------------+   +--------+--------------+-------------+
 *   | header | data and leaks | (zeros) | L2 ... L2 L1|   | header | D data       | L2 ... L2 L1|
 *   +--------+----------------+---------+-------------+   +--------+--------------+-------------+
 *
 * tablesStart is at or past N, so that settling writes its final tables where no live one lies. An L2 table exists
 * only where some cluster of its range is data or zero.
 */
import { type ExtentTable } from "../../image/extent.ts";
import type { Write } from "../../image/write.ts";
import { type EntryRun } from "./entry-encoder.ts";
/** All tables of an image, one after another. Offsets in bytes, counts in clusters where they don't say entries. */
export interface TableLayout {
    readonly clusterSize: number;
    /** Clusters of each table. */
    readonly tableSize: number;
    readonly entryCount: number;
    readonly hostOffset: number;
    /** L1 indexes of the L2 tables, ascending. */
    readonly l2Indexes: readonly number[];
}
export declare function tableLayout(clusterSize: number, tableSize: number, l2Indexes: readonly number[], hostOffset: number): TableLayout;
/** Clusters of one L1 table and `l2Count` L2 tables. */
export declare function tableClusterCount(tableSize: number, l2Count: number): number;
export declare function l1OffsetOf(layout: TableLayout): number;
/** One past the last byte of the tables. */
export declare function layoutEnd(layout: TableLayout): number;
/** L1 indexes of the tables that data or zero clusters need, ascending. */
export declare function neededL2Indexes(extents: ExtentTable, clusterSize: number, entryCount: number): number[];
/** The bytes of all tables, ascending, in pieces of at most 1 MiB. */
export declare function tableWrites(layout: TableLayout, runs: Iterable<EntryRun>): Generator<Write>;
