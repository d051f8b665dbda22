/**
 * One walk over all tables that feeds both the mapping and the check (QED specification, "Tables").
 *
 * Tables are visited in L1 order, and a table is followed only if it lies where one may and none of its clusters was
 * referenced before: so the work is bounded by the file's length, whatever the entries say.
 */

import { Bitmap } from "../../../bytes/bitmap.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../image/extent.ts";
import type { Finding, FindingList, FindingListener } from "../../../image/finding.ts";
import type { Storage } from "../../../storage/storage.ts";
import { ENTRY_SIZE, type QedHeader } from "../header/header.ts";
import { entryOffset, entryWords, ZERO_ENTRY } from "./table-entry.ts";
import { TableFindings } from "./table-findings.ts";
import { type PieceRequest, piecesOf, readPieces } from "./table-reader.ts";

/** An L2 table that can be followed. */
export interface L2Table {
  readonly l1Index: number;
  readonly hostOffset: number;
}

export interface TableScan {
  /** Undefined where a table or an entry can't be followed; `broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly broken: Finding | undefined;
  /** Header, tables and data clusters that entries reference. */
  readonly references: Bitmap;
  readonly l2Tables: readonly L2Table[];
  /** L2 tables that say anything about the disk: the others could be left out. */
  readonly neededL2Indexes: readonly number[];
  /** Data clusters within the disk, by entries. */
  readonly dataCount: number;
  /** Data clusters that entries past the disk's end reference. */
  readonly beyondCount: number;
  readonly fragmentedCount: number;
  /** All entries that hold an offset, valid or not, as qemu-img counts allocated clusters. */
  readonly allocatedCount: number;
  /** Corruptions only; leaks and marks are the check's. */
  readonly findings: FindingList;
}

/**
 * Reads every table once. Throws ImageError only for what can't be read; wrong entries become findings, all of which
 * `listener` hears.
 */
export async function scanTables(storage: Storage, header: QedHeader, listener?: FindingListener): Promise<TableScan> {
  return new TableScanner(storage, header, listener).scan();
}

interface TableRequest extends PieceRequest {
  readonly l1Index: number;
  readonly tableOffset: number;
  readonly followed: boolean;
}

class TableScanner {
  readonly #storage: Storage;
  readonly #header: QedHeader;
  /** Guest clusters of the disk; the last may be cut short. */
  readonly #guestClusterCount: number;
  readonly #references: Bitmap;
  readonly #mapping = new ExtentTableBuilder();
  readonly #findings: TableFindings;
  readonly #l2Tables: L2Table[] = [];
  readonly #neededL2Indexes: number[] = [];
  #dataCount = 0;
  #beyondCount = 0;
  #fragmentedCount = 0;
  #allocatedCount = 0;
  /** Of the table at hand: its latest host offset, to count fragments. */
  #latestHostOffset = 0;

  constructor(storage: Storage, header: QedHeader, listener: FindingListener | undefined) {
    this.#storage = storage;
    this.#header = header;
    this.#guestClusterCount = Math.ceil(header.virtualSize / header.clusterSize);
    this.#references = new Bitmap(header.clusterCount);
    this.#findings = new TableFindings(header, listener);
  }

  async scan(): Promise<TableScan> {
    const { clusterSize, l1Offset, tableBytes, headerBytes, virtualSize } = this.#header;
    this.#references.mark(0, headerBytes / clusterSize);
    this.#references.mark(l1Offset / clusterSize, tableBytes / clusterSize);
    for await (const { request, bytes } of readPieces(this.#storage, piecesOf(l1Offset, tableBytes), "L1 table")) {
      const firstIndex = (request.hostOffset - l1Offset) / ENTRY_SIZE;
      await this.#followL1Piece(entryWords(bytes), firstIndex);
    }
    const { broken, list } = this.#findings;
    if (broken === undefined) this.#mapping.append(virtualSize - this.#mapping.end, ExtentState.unallocated);
    return {
      mapping: broken === undefined ? this.#mapping.finish(virtualSize) : undefined,
      broken,
      references: this.#references,
      l2Tables: this.#l2Tables,
      neededL2Indexes: this.#neededL2Indexes,
      dataCount: this.#dataCount,
      beyondCount: this.#beyondCount,
      fragmentedCount: this.#fragmentedCount,
      allocatedCount: this.#allocatedCount,
      findings: list,
    };
  }

  async #followL1Piece(words: Uint32Array, firstIndex: number): Promise<void> {
    const { entryCount } = this.#header;
    let following = false;
    for await (const { request, bytes } of readPieces(this.#storage, this.#requests(words, firstIndex), "L2 table")) {
      const { l1Index, tableOffset, hostOffset, followed } = request;
      if (!followed || hostOffset === tableOffset) {
        following = this.#enterTable(l1Index, tableOffset) && followed;
        this.#latestHostOffset = 0;
      }
      if (!following) continue;
      const firstEntry = (hostOffset - tableOffset) / ENTRY_SIZE;
      this.#readEntries(entryWords(bytes), l1Index * entryCount + firstEntry, l1Index);
    }
  }

  /** One request a piece of each table that may be followed, an empty one for each that may not. */
  *#requests(words: Uint32Array, firstIndex: number): Generator<TableRequest> {
    const { tableBytes, clusterSize } = this.#header;
    for (let at = 0; at < words.length; at += 2) {
      const low = words[at] as number;
      const high = words[at + 1] as number;
      if (low === 0 && high === 0) continue;
      const l1Index = firstIndex + at / 2;
      const tableOffset = entryOffset(low, high);
      const followed = this.#isTablePlace(tableOffset) && !this.#references.has(tableOffset / clusterSize);
      if (!followed) yield { l1Index, tableOffset, followed, hostOffset: tableOffset, length: 0 };
      else {
        for (const piece of piecesOf(tableOffset, tableBytes)) yield { l1Index, tableOffset, followed, ...piece };
      }
    }
  }

  #isTablePlace(tableOffset: number): boolean {
    const { clusterSize, clusterCount, headerBytes, tableBytes } = this.#header;
    return (
      tableOffset >= headerBytes &&
      tableOffset % clusterSize === 0 &&
      tableOffset + tableBytes <= clusterCount * clusterSize
    );
  }

  /** Marks the table's clusters; false where it must not be followed. */
  #enterTable(l1Index: number, tableOffset: number): boolean {
    const { clusterSize, tableBytes } = this.#header;
    if (!this.#isTablePlace(tableOffset)) {
      this.#findings.tableOutOfBounds(l1Index, tableOffset);
      return false;
    }
    const already = this.#references.mark(tableOffset / clusterSize, tableBytes / clusterSize);
    if (already > 0) {
      this.#findings.tableOverlap(l1Index, tableOffset, already);
      return false;
    }
    this.#l2Tables.push({ l1Index, hostOffset: tableOffset });
    return true;
  }

  /** The entries of one piece; `firstGuestCluster` is what the first of them maps. */
  #readEntries(words: Uint32Array, firstGuestCluster: number, l1Index: number): void {
    const { clusterSize } = this.#header;
    const length = words.length;
    for (let at = 0; at < length; ) {
      const low = words[at] as number;
      const high = words[at + 1] as number;
      const guestCluster = firstGuestCluster + at / 2;
      let next = at + 2;
      if (high === 0 && low <= ZERO_ENTRY) {
        while (next < length && words[next] === low && words[next + 1] === 0) next += 2;
        if (low === ZERO_ENTRY) this.#addZeros(guestCluster, (next - at) / 2, l1Index);
      } else {
        let expected = low + clusterSize;
        while (next < length && words[next] === expected && words[next + 1] === high) {
          next += 2;
          expected += clusterSize;
        }
        this.#addRun(guestCluster, (next - at) / 2, entryOffset(low, high), l1Index);
      }
      at = next;
    }
  }

  #addZeros(guestCluster: number, count: number, l1Index: number): void {
    const inside = Math.min(count, this.#guestClusterCount - guestCluster);
    if (inside <= 0) return;
    this.#need(l1Index);
    this.#append(guestCluster, inside, ExtentState.zero);
  }

  /** `count` entries that hold consecutive host offsets. */
  #addRun(guestCluster: number, count: number, hostOffset: number, l1Index: number): void {
    const { clusterSize, clusterCount } = this.#header;
    this.#allocatedCount += count;
    if (this.#latestHostOffset !== 0 && hostOffset !== this.#latestHostOffset + clusterSize) this.#fragmentedCount++;
    this.#latestHostOffset = hostOffset + (count - 1) * clusterSize;

    const firstCluster = hostOffset / clusterSize;
    if (hostOffset < 0 || !Number.isInteger(firstCluster)) {
      this.#findings.badEntries(l1Index, guestCluster, hostOffset, count);
      return;
    }
    const present = Math.max(0, Math.min(count, clusterCount - firstCluster));
    if (present < count) {
      const firstOutside = hostOffset + present * clusterSize;
      this.#findings.badEntries(l1Index, guestCluster + present, firstOutside, count - present);
    }
    if (present === 0) return;
    const already = this.#references.mark(firstCluster, present);
    if (already > 0) this.#findings.doubleReferences(l1Index, guestCluster, hostOffset, present, already);
    const inside = Math.max(0, Math.min(present, this.#guestClusterCount - guestCluster));
    this.#dataCount += inside;
    this.#beyondCount += present - inside;
    if (inside === 0) return;
    this.#need(l1Index);
    this.#append(guestCluster, inside, ExtentState.data, hostOffset);
  }

  #append(guestCluster: number, count: number, state: ExtentState, hostOffset?: number): void {
    if (this.#findings.broken !== undefined) return;
    const { clusterSize, virtualSize } = this.#header;
    const guestOffset = guestCluster * clusterSize;
    this.#mapping.append(guestOffset - this.#mapping.end, ExtentState.unallocated);
    this.#mapping.append(Math.min(count * clusterSize, virtualSize - guestOffset), state, hostOffset);
  }

  #need(l1Index: number): void {
    if (this.#neededL2Indexes.at(-1) !== l1Index) this.#neededL2Indexes.push(l1Index);
  }
}
