/** The L2 and L1 tables of a qcow2 target as streams of writes (docs/interop/qcow2.txt, "Cluster mapping"). */

import { ceilDiv } from "../../../bytes/align.ts";
import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { bytesPerL2Table } from "../header/header.ts";
import { encodeL2Entry, L2Mask } from "../tables/l2-entry.ts";
import { CHUNK_SIZE } from "./refcount-layout.ts";

const ENTRY_SIZE = 8;

/** Where the tables lie, which is all that their bytes need to know beside the extents. Host offsets and sizes in bytes. */
export interface MappingTables {
  readonly clusterSize: number;
  readonly l1EntryCount: number;
  /** Non-zero for each entry of the L1 table that has an L2 table. */
  readonly hasL2Table: Uint8Array;
  readonly l2TableCount: number;
  readonly l2HostOffset: number;
  /** 0 for a disk of no bytes, which has no L1 table. */
  readonly l1HostOffset: number;
}

/** The L2 tables in guest order, one after another. */
export function* l2Writes(layout: MappingTables, extents: ExtentTable, newChunk: Chunk = freshChunk): Generator<Write> {
  const { clusterSize, hasL2Table, l2HostOffset, l2TableCount } = layout;
  const pieceSize = Math.min(clusterSize, CHUNK_SIZE);
  const bytesPerPiece = (pieceSize / ENTRY_SIZE) * clusterSize;
  const bytesPerTable = bytesPerL2Table(clusterSize);
  const end = l2HostOffset + l2TableCount * clusterSize;
  const encoder = new EntryEncoder(extents, clusterSize);
  let chunk: Uint8Array | undefined;
  let filled = 0;
  let hostOffset = l2HostOffset;
  for (let table = hasL2Table.indexOf(1); table >= 0; table = hasL2Table.indexOf(1, table + 1)) {
    for (let piece = 0; piece < clusterSize / pieceSize; piece++) {
      chunk ??= newChunk(Math.min(CHUNK_SIZE, end - hostOffset));
      const guestOffset = table * bytesPerTable + piece * bytesPerPiece;
      encoder.encode(chunk.subarray(filled, filled + pieceSize), guestOffset, guestOffset + bytesPerPiece);
      filled += pieceSize;
      if (filled < chunk.length) continue;
      yield { hostOffset, bytes: chunk };
      hostOffset += filled;
      filled = 0;
      chunk = undefined;
    }
  }
}

/** The L1 table, padded with zeros to whole clusters. */
export function* l1Writes(layout: MappingTables): Generator<Write> {
  const { clusterSize, hasL2Table, l1EntryCount, l1HostOffset } = layout;
  const end = l1HostOffset + ceilDiv(l1EntryCount * ENTRY_SIZE, clusterSize) * clusterSize;
  let l2HostOffset = layout.l2HostOffset;
  let entry = 0;
  for (let hostOffset = l1HostOffset; hostOffset < end; ) {
    const chunk = new Uint8Array(Math.min(CHUNK_SIZE, end - hostOffset));
    const view = new DataView(chunk.buffer);
    for (let at = 0; at < chunk.length && entry < l1EntryCount; at += ENTRY_SIZE, entry++) {
      if (hasL2Table[entry] === 0) continue;
      view.setUint32(at, (Math.floor(l2HostOffset / 2 ** 32) | L2Mask.copiedHigh) >>> 0);
      view.setUint32(at + 4, l2HostOffset % 2 ** 32);
      l2HostOffset += clusterSize;
    }
    yield { hostOffset, bytes: chunk };
    hostOffset += chunk.length;
  }
}

/** Turns extents into entries; asked for ascending guest ranges, it goes through the rows once. */
class EntryEncoder {
  readonly #extents: ExtentTable;
  readonly #clusterSize: number;
  #row = 0;

  constructor(extents: ExtentTable, clusterSize: number) {
    this.#extents = extents;
    this.#clusterSize = clusterSize;
  }

  /** Writes the entries of guest bytes [guestStart, guestEnd) into zeroed bytes. */
  encode(into: Uint8Array, guestStart: number, guestEnd: number): void {
    const { count, guestOffset, hostOffset, length, state } = this.#extents;
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    for (; this.#row < count; this.#row++) {
      const row = this.#row;
      const rowStart = guestOffset[row] as number;
      const rowEnd = rowStart + (length[row] as number);
      const start = Math.max(rowStart, guestStart);
      const end = Math.min(rowEnd, guestEnd);
      if (start < end) {
        const at = ((start - guestStart) / this.#clusterSize) * ENTRY_SIZE;
        const entryCount = Math.ceil((end - start) / this.#clusterSize);
        const rowState = state[row] as ExtentState;
        if (rowState === ExtentState.data) {
          this.#putRun(view, at, entryCount, (hostOffset[row] as number) + start - rowStart);
        } else if (rowState === ExtentState.zero) {
          for (let entry = 0; entry < entryCount; entry++) view.setUint32(at + entry * 8 + 4, L2Mask.zeroLow);
        } else if (rowState === ExtentState.compressed) this.#putCompressed(view, at, row);
      }
      if (rowEnd > guestEnd) return;
    }
  }

  /** Contiguous data clusters, each counted once. */
  #putRun(view: DataView, from: number, entryCount: number, hostOffset: number): void {
    const end = from + entryCount * ENTRY_SIZE;
    let high = (Math.floor(hostOffset / 2 ** 32) | L2Mask.copiedHigh) >>> 0;
    let low = hostOffset % 2 ** 32;
    for (let at = from; at < end; at += ENTRY_SIZE) {
      view.setUint32(at, high);
      view.setUint32(at + 4, low);
      low += this.#clusterSize;
      if (low >= 2 ** 32) {
        low -= 2 ** 32;
        high++;
      }
    }
  }

  #putCompressed(view: DataView, at: number, row: number): void {
    const { hostOffset, storedLength } = this.#extents;
    const entry = {
      kind: "compressed" as const,
      hostOffset: hostOffset[row] as number,
      storedLength: storedLength[row] as number,
    };
    const { high, low } = encodeL2Entry(entry, Math.log2(this.#clusterSize));
    view.setUint32(at, high);
    view.setUint32(at + 4, low);
  }
}
