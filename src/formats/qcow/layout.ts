/**
 * Where the tables of a qcow file lie that we write, and their bytes.
 *
 *   sector 0   the source's old body                        hostOffset
 *   | header | data, streams, leaks: staying where they are | L2 ... L2 | L1 |
 *
 * Units lie at any sector, streams at any byte. An L2 table exists only where something of its range is stored.
 */

import { alignUp, MiB } from "../../bytes/align.ts";
import { ExtentState, type ExtentTable, isStored } from "../../image/extent.ts";
import { type Chunk, freshChunk, type Write } from "../../image/write.ts";
import { putCompressedEntry, putPlainEntry } from "./entry.ts";
import { ENTRY_SIZE } from "./header.ts";
import { l1EntriesFor, type QcowGeometry } from "./rules.ts";

/** The most that one write holds, in bytes. */
const CHUNK_SIZE = MiB;

export interface QcowLayout {
  readonly geometry: QcowGeometry;
  readonly hostOffset: number;
  /** Bytes of one L2 table, and from each to the next: a table of less than a cluster has one to itself. */
  readonly tableSize: number;
  readonly tablePitch: number;
  /** L1 indexes of the L2 tables, ascending, in the order in which these lie. */
  readonly l2Indexes: readonly number[];
  readonly l1EntryCount: number;
  readonly l1Offset: number;
  /** One past the last byte of the tables, in whole clusters. */
  readonly end: number;
}

export function layOut(
  extents: ExtentTable,
  virtualSize: number,
  geometry: QcowGeometry,
  hostOffset: number,
): QcowLayout {
  const tableSize = 2 ** geometry.l2Bits * ENTRY_SIZE;
  const l2Indexes = neededTables(extents, geometry.clusterSize * 2 ** geometry.l2Bits);
  const l1EntryCount = l1EntriesFor(virtualSize, geometry);
  const tablePitch = Math.max(tableSize, geometry.clusterSize);
  const l1Offset = hostOffset + l2Indexes.length * tablePitch;
  const end = alignUp(l1Offset + l1EntryCount * ENTRY_SIZE, geometry.clusterSize);
  return { geometry, hostOffset, tableSize, tablePitch, l2Indexes, l1EntryCount, l1Offset, end };
}

function neededTables({ count, state, guestOffset, length }: ExtentTable, span: number): number[] {
  const indexes: number[] = [];
  for (let row = 0; row < count; row++) {
    if (!isStored(state[row])) continue;
    const start = guestOffset[row] as number;
    const last = Math.ceil((start + (length[row] as number)) / span) - 1;
    for (let index = Math.max(Math.floor(start / span), (indexes.at(-1) ?? -1) + 1); index <= last; index++) {
      indexes.push(index);
    }
  }
  return indexes;
}

/** The bytes of all tables, ascending, up to the layout's end. */
export function* tableWrites(layout: QcowLayout, extents: ExtentTable, newChunk: Chunk = freshChunk): Generator<Write> {
  const { geometry, l2Indexes, tableSize, tablePitch, hostOffset, l1Offset, l1EntryCount, end } = layout;
  const tablesPerChunk = CHUNK_SIZE / tablePitch;
  const span = geometry.clusterSize * 2 ** geometry.l2Bits;
  const entries = new EntryWriter(extents, geometry.clusterSize);
  for (let first = 0; first < l2Indexes.length; first += tablesPerChunk) {
    const bytes = newChunk(Math.min(CHUNK_SIZE, (l2Indexes.length - first) * tablePitch));
    for (const [at, index] of l2Indexes.slice(first, first + tablesPerChunk).entries()) {
      const start = at * tablePitch;
      entries.write(bytes.subarray(start, start + tableSize), index * span, (index + 1) * span);
    }
    yield { hostOffset: hostOffset + first * tablePitch, bytes };
  }
  let ordinal = 0;
  for (let at = 0; l1Offset + at < end; at += CHUNK_SIZE) {
    const bytes = new Uint8Array(Math.min(CHUNK_SIZE, end - l1Offset - at));
    const view = new DataView(bytes.buffer);
    const lastEntry = Math.min(l1EntryCount, (at + bytes.length) / ENTRY_SIZE);
    for (; ordinal < l2Indexes.length && (l2Indexes[ordinal] as number) < lastEntry; ordinal++) {
      putPlainEntry(view, (l2Indexes[ordinal] as number) * ENTRY_SIZE - at, hostOffset + ordinal * tablePitch);
    }
    yield { hostOffset: l1Offset + at, bytes };
  }
}

/** Turns extents into entries; asked for ascending guest ranges, it goes through the rows once. */
class EntryWriter {
  readonly #extents: ExtentTable;
  readonly #clusterSize: number;
  #row = 0;

  constructor(extents: ExtentTable, clusterSize: number) {
    this.#extents = extents;
    this.#clusterSize = clusterSize;
  }

  /** Writes the entries of guest bytes [guestStart, guestEnd) into zeroed bytes. */
  write(into: Uint8Array, guestStart: number, guestEnd: number): void {
    const { count, guestOffset, hostOffset, length, state, storedLength } = this.#extents;
    const clusterSize = this.#clusterSize;
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    for (; this.#row < count; this.#row++) {
      const row = this.#row;
      const rowStart = guestOffset[row] as number;
      const rowEnd = rowStart + (length[row] as number);
      const rowHost = hostOffset[row] as number;
      const start = Math.max(rowStart, guestStart);
      const end = Math.min(rowEnd, guestEnd);
      for (let guest = start; guest < end && isStored(state[row]); guest += clusterSize) {
        const at = ((guest - guestStart) / clusterSize) * ENTRY_SIZE;
        if (state[row] === ExtentState.data) putPlainEntry(view, at, rowHost + guest - rowStart);
        else {
          const stream = { hostOffset: rowHost, storedLength: storedLength[row] as number };
          putCompressedEntry(view, at, stream, Math.log2(clusterSize));
        }
      }
      if (rowEnd > guestEnd) return;
    }
  }
}
