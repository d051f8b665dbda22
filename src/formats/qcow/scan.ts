/**
 * One walk over all tables that feeds both the mapping and the check.
 *
 *   L1 table, in pieces  ─►  where L2 tables lie  ─►  each read once, in guest order  ─►  extents, used places
 *
 * An L1 table may be a gigabyte of holes; of it only what it points at is kept. No table is followed that lies on another,
 * so that the work is bounded by the file's length, whatever the entries say.
 */

import { GiB, KiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../image/extent.ts";
import type { Finding, FindingList, FindingListener } from "../../image/finding.ts";
import { readTables } from "../../image/table-reader.ts";
import type { Storage } from "../../storage/storage.ts";
import { compressedLength, compressedOffset, isCompressedEntry, plainOffset } from "./entry.ts";
import { QcowFindings } from "./findings.ts";
import { ENTRY_SIZE, l1End, type QcowHeader, QcowHeaderFields } from "./header.ts";
import { Owner, UsedPlaces } from "./places.ts";

/** More tables than this no image in use has; sparse files can claim any number. */
const MAX_L2_BYTES = 16 * GiB;
const L1_PIECE = 256 * KiB;

/** L2 tables in parallel columns, by L1 index. */
export interface TableList {
  readonly l1Index: Float64Array;
  readonly hostOffset: Float64Array;
}

export interface QcowScan {
  /** Undefined where a table or an entry can't be followed; `broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly broken: Finding | undefined;
  /** Those that can be followed. */
  readonly tables: TableList;
  readonly places: UsedPlaces;
  readonly allocatedCount: number;
  readonly fragmentedCount: number;
  readonly compressedCount: number;
  readonly findings: FindingList;
}

/**
 * Reads every table once. Throws ImageError only for what can't be read, or has too many tables; what is wrong becomes
 * findings, all of which `listener` hears.
 */
export async function scanTables(storage: Storage, header: QcowHeader, listener?: FindingListener): Promise<QcowScan> {
  return new TableScanner(storage, header, listener).scan();
}

class TableScanner {
  readonly #storage: Storage;
  readonly #header: QcowHeader;
  readonly #findings: QcowFindings;
  readonly #places = new UsedPlaces();
  readonly #mapping = new ExtentTableBuilder();
  #allocatedCount = 0;
  #fragmentedCount = 0;
  #compressedCount = 0;
  /** Of the table at hand: where its latest plain cluster ends, to count fragments; 0 for none. */
  #latestEnd = 0;

  constructor(storage: Storage, header: QcowHeader, listener: FindingListener | undefined) {
    this.#storage = storage;
    this.#header = header;
    this.#findings = new QcowFindings(header, listener);
  }

  async scan(): Promise<QcowScan> {
    const { l1Offset, virtualSize, backingName, backingNameOffset, l2TableSize } = this.#header;
    const places = this.#places;
    places.add(0, QcowHeaderFields.size, Owner.header);
    if (backingName) places.add(backingNameOffset, backingNameOffset + backingName.length, Owner.backingName);
    places.add(l1Offset, l1End(this.#header), Owner.l1Table);
    const tables = this.#followable(await this.#listed());
    for await (const { first, count, bytes, hostOffset } of readTables(this.#storage, tables.hostOffset, l2TableSize)) {
      for (let at = first; at < first + count; at++) {
        const start = (tables.hostOffset[at] as number) - hostOffset;
        this.#readTable(bytes.subarray(start, start + l2TableSize), tables.l1Index[at] as number);
      }
    }
    for (const overlap of places.overlaps()) this.#findings.overlap(overlap);
    this.#findings.leaks(places);
    const { broken, list } = this.#findings;
    if (broken === undefined) this.#mapping.append(virtualSize - this.#mapping.end, ExtentState.unallocated);
    return {
      mapping: broken === undefined ? this.#mapping.finish(virtualSize) : undefined,
      broken,
      tables,
      places,
      allocatedCount: this.#allocatedCount,
      fragmentedCount: this.#fragmentedCount,
      compressedCount: this.#compressedCount,
      findings: list,
    };
  }

  /** What the L1 table points at, whatever that is. */
  async #listed(): Promise<TableList> {
    const { l1Offset, l1EntryCount, l2TableSize } = this.#header;
    const l1Bytes = l1EntryCount * ENTRY_SIZE;
    const pieceSize = Math.min(L1_PIECE, l1Bytes);
    const pieces = Float64Array.from(
      { length: Math.ceil(l1Bytes / L1_PIECE) },
      (_, index) => l1Offset + index * L1_PIECE,
    );
    const [l1Index, hostOffset] = [[] as number[], [] as number[]];
    for await (const { bytes, hostOffset: readFrom } of readTables(this.#storage, pieces, pieceSize)) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const end = Math.min(bytes.length, l1Offset + l1Bytes - readFrom);
      const firstIndex = (readFrom - l1Offset) / ENTRY_SIZE;
      for (let at = 0; at < end; at += ENTRY_SIZE) {
        const [high, low] = [view.getInt32(at), view.getInt32(at + 4)];
        if ((high | low) === 0) continue;
        l1Index.push(firstIndex + at / ENTRY_SIZE);
        hostOffset.push(plainOffset(high, low));
      }
    }
    if (l1Index.length * l2TableSize > MAX_L2_BYTES) {
      throw new ImageError("unsupported", say`Cannot read the tables of ${imageNamed(this.#storage.path)}`, {
        because: `it lists ${counted(l1Index.length, "L2 table")}, more than 16 GiB of them`,
        remedy: "make a copy with larger clusters with qemu-img convert",
        format: "qcow",
        path: this.#storage.path,
        structure: "L1 table",
        hostOffset: l1Offset,
      });
    }
    return { l1Index: Float64Array.from(l1Index), hostOffset: Float64Array.from(hostOffset) };
  }

  /** Without tables that reach past the end, or lie on one that comes before them in the file. */
  #followable({ l1Index, hostOffset }: TableList): TableList {
    const { l2TableSize, fileSize } = this.#header;
    const inside = l1Index.map((_, at) => at).filter((at) => (hostOffset[at] as number) + l2TableSize <= fileSize);
    const overlapping = new Set<number>();
    const sorted = inside.map((at) => hostOffset[at] as number).sort();
    if (sorted.some((start, at) => at > 0 && start < (sorted[at - 1] as number) + l2TableSize)) {
      let end = 0;
      for (const at of inside.slice().sort((a, b) => (hostOffset[a] as number) - (hostOffset[b] as number) || a - b)) {
        if ((hostOffset[at] as number) < end) overlapping.add(at);
        else end = (hostOffset[at] as number) + l2TableSize;
      }
    }
    if (inside.length < l1Index.length || overlapping.size > 0) {
      for (const [at, index] of l1Index.entries()) {
        const start = hostOffset[at] as number;
        if (start + l2TableSize > fileSize) this.#findings.tableOutOfBounds(index, start);
        else if (overlapping.has(at)) this.#findings.tableOverlap(index, start);
      }
    }
    const rows = overlapping.size === 0 ? inside : inside.filter((at) => !overlapping.has(at));
    for (const at of rows) {
      const start = hostOffset[at] as number;
      this.#places.add(start, start + l2TableSize, Owner.ofTable(l1Index[at] as number));
    }
    return { l1Index: rows.map((at) => l1Index[at] as number), hostOffset: rows.map((at) => hostOffset[at] as number) };
  }

  #readTable(table: Uint8Array, l1Index: number): void {
    const { bytesPerL2Table, clusterSize, clusterBits } = this.#header;
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const end = table.length;
    this.#latestEnd = 0;
    for (let at = 0; at < end; ) {
      const [high, low] = [view.getInt32(at), view.getInt32(at + 4)];
      const first = at;
      at += ENTRY_SIZE;
      if ((high | low) === 0) continue;
      const guestOffset = l1Index * bytesPerL2Table + (first / ENTRY_SIZE) * clusterSize;
      if (isCompressedEntry(high)) {
        this.#addStream(
          l1Index,
          guestOffset,
          compressedOffset(high, low, clusterBits),
          compressedLength(high, clusterBits),
        );
        continue;
      }
      const hostOffset = plainOffset(high, low);
      for (let next = hostOffset + clusterSize; at < end; at += ENTRY_SIZE, next += clusterSize) {
        if (plainOffset(view.getInt32(at), view.getInt32(at + 4)) !== next) break;
      }
      this.#addRun(l1Index, guestOffset, hostOffset, (at - first) / ENTRY_SIZE);
    }
  }

  /** `count` entries that hold consecutive host offsets. */
  #addRun(l1Index: number, guestOffset: number, hostOffset: number, count: number): void {
    const { clusterSize, fileSize } = this.#header;
    this.#allocatedCount += count;
    if (this.#latestEnd !== 0 && hostOffset !== this.#latestEnd) this.#fragmentedCount++;
    this.#latestEnd = hostOffset + count * clusterSize;
    if (hostOffset % SECTOR_SIZE !== 0) {
      this.#findings.badEntries(l1Index, guestOffset, hostOffset, count);
      return;
    }
    // A file may end inside its last cluster.
    const present = Math.max(0, Math.min(count, Math.ceil((fileSize - hostOffset) / clusterSize)));
    if (present < count) {
      const skipped = present * clusterSize;
      this.#findings.badEntries(l1Index, guestOffset + skipped, hostOffset + skipped, count - present);
    }
    if (present === 0) return;
    this.#places.add(hostOffset, hostOffset + present * clusterSize, guestOffset);
    this.#append(guestOffset, present * clusterSize, ExtentState.data, hostOffset);
  }

  #addStream(l1Index: number, guestOffset: number, hostOffset: number, length: number): void {
    this.#allocatedCount++;
    this.#compressedCount++;
    this.#fragmentedCount++;
    if (length === 0 || hostOffset + length > this.#header.fileSize) {
      this.#findings.badStream(l1Index, guestOffset, hostOffset, length);
      return;
    }
    this.#places.add(hostOffset, hostOffset + length, Owner.ofStream(guestOffset));
    this.#append(guestOffset, this.#header.clusterSize, ExtentState.compressed, hostOffset, length);
  }

  /** The last table may go on past the end of the disk: its entries count, but map nothing. */
  #append(guestOffset: number, length: number, state: ExtentState, hostOffset: number, storedLength = 0): void {
    const left = this.#header.virtualSize - guestOffset;
    if (this.#findings.broken !== undefined || left <= 0) return;
    this.#mapping.append(guestOffset - this.#mapping.end, ExtentState.unallocated);
    this.#mapping.append(Math.min(length, left), state, hostOffset, storedLength);
  }
}

/** Host ranges of all tables, the header and the name. */
export function* metadataRanges(header: QcowHeader, { tables }: QcowScan) {
  const { l1Offset, backingName, backingNameOffset, l2TableSize } = header;
  yield { start: 0, end: QcowHeaderFields.size };
  if (backingName) yield { start: backingNameOffset, end: backingNameOffset + backingName.length };
  yield { start: l1Offset, end: l1End(header) };
  for (const hostOffset of tables.hostOffset) yield { start: hostOffset, end: hostOffset + l2TableSize };
}
