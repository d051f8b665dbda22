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

import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import type { Write } from "../../../image/write.ts";
import { ENTRY_SIZE } from "../header/header.ts";
import { EntryEncoder, type EntryRun } from "./entry-encoder.ts";
import { entryBytes, fillEntries } from "./table-entry.ts";

/** The most that one write holds, in bytes. */
const CHUNK_SIZE = 1024 * 1024;

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

export function tableLayout(
  clusterSize: number,
  tableSize: number,
  l2Indexes: readonly number[],
  hostOffset: number,
): TableLayout {
  return { clusterSize, tableSize, entryCount: (clusterSize * tableSize) / ENTRY_SIZE, hostOffset, l2Indexes };
}

/** Clusters of one L1 table and `l2Count` L2 tables. */
export function tableClusterCount(tableSize: number, l2Count: number): number {
  return (l2Count + 1) * tableSize;
}

export function l1OffsetOf(layout: TableLayout): number {
  return layout.hostOffset + layout.l2Indexes.length * layout.tableSize * layout.clusterSize;
}

/** One past the last byte of the tables. */
export function layoutEnd(layout: TableLayout): number {
  return l1OffsetOf(layout) + layout.tableSize * layout.clusterSize;
}

/** L1 indexes of the tables that data or zero clusters need, ascending. */
export function neededL2Indexes(extents: ExtentTable, clusterSize: number, entryCount: number): number[] {
  const indexes: number[] = [];
  const span = entryCount * clusterSize;
  for (let row = 0; row < extents.count; row++) {
    if (extents.state[row] === ExtentState.unallocated) continue;
    const start = extents.guestOffset[row] as number;
    const last = Math.floor((start + (extents.length[row] as number) - 1) / span);
    for (let index = Math.max(Math.floor(start / span), (indexes.at(-1) ?? -1) + 1); index <= last; index++) {
      indexes.push(index);
    }
  }
  return indexes;
}

/** The bytes of all tables, ascending, in pieces of at most 1 MiB. */
export function* tableWrites(layout: TableLayout, runs: Iterable<EntryRun>): Generator<Write> {
  const { clusterSize, entryCount, l2Indexes, hostOffset, tableSize } = layout;
  const encoder = new EntryEncoder(runs, clusterSize);
  const chunkEntries = Math.min(CHUNK_SIZE, (l2Indexes.length + 1) * tableSize * clusterSize) / ENTRY_SIZE;
  let words = new Uint32Array(chunkEntries * 2);
  let filled = 0;
  let written = 0;
  const takeChunk = (): Write => {
    const write = { hostOffset: hostOffset + written, bytes: entryBytes(words.subarray(0, filled * 2)) };
    written += filled * ENTRY_SIZE;
    words = new Uint32Array(chunkEntries * 2);
    filled = 0;
    return write;
  };
  for (const l1Index of l2Indexes) {
    for (let entry = 0; entry < entryCount; ) {
      const count = Math.min(entryCount - entry, chunkEntries - filled);
      encoder.fill(words, filled, l1Index * entryCount + entry, count);
      entry += count;
      filled += count;
      if (filled === chunkEntries) yield takeChunk();
    }
  }
  let ordinal = 0;
  for (let entry = 0; entry < entryCount; ) {
    const count = Math.min(entryCount - entry, chunkEntries - filled);
    for (; ordinal < l2Indexes.length && (l2Indexes[ordinal] as number) < entry + count; ordinal++) {
      const at = filled + (l2Indexes[ordinal] as number) - entry;
      fillEntries(words, at, 1, hostOffset + ordinal * tableSize * clusterSize, 0);
    }
    entry += count;
    filled += count;
    if (filled === chunkEntries) yield takeChunk();
  }
  if (filled > 0) yield takeChunk();
}
