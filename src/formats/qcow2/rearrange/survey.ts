/**
 * The pieces of an image and who points at them, read from its live tables (docs/interop/qcow2.txt):
 *
 *   header ─► L1 ─► L2 tables ─► data, compressed streams          every pointer is one 64-bit word at a multiple of 8
 *          ─► refcount table ─► refcount blocks
 *          ─► snapshot table ─► L1 of each snapshot ─► L2 tables ...
 *          ─► bitmap directory ─► bitmap tables ─► bitmaps
 *
 * The image has been checked: each reference is inside the file, and no two things share a place that must not.
 */

import { hex } from "../../../bytes/image-error.ts";
import { HEADER_PIECE, NO_PIECE, type PieceTable } from "../../../image/piece-table.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { BitmapsExtension, ExtensionType } from "../header/extensions.ts";
import { Qcow2HeaderV2 } from "../header/header.ts";
import type { Bitmap as DirtyBitmap } from "../tables/bitmap-directory.ts";
import { l1Entries, readL1Bytes } from "../tables/l1-table.ts";
import { compressedHostOffset, L2Mask, standardHostOffset } from "../tables/l2-entry.ts";
import { readSnapshotTable } from "../tables/snapshot-table.ts";
import { parseRefcountTableEntry } from "../tables/table-entry.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { eachL2Table } from "./l2-visits.ts";
import { collectPieces, type NamedTables, placeCountOf } from "./piece-collector.ts";
import { PointerWords } from "./pointer-words.ts";
import { cannotRearrange } from "./rearrange-error.ts";

/** Of a table of pointers, read at once. */
const READ_ENTRIES = 2 ** 17;

export interface Survey {
  /** Places that the model reaches: the file's, and what blocks could count right behind its end. */
  readonly placeCount: number;
  readonly pieces: PieceTable;
  readonly words: PointerWords;
  /** The piece that the refcount table is. */
  readonly refcountTable: number;
  /** The piece that each refcount block is, by its entry in the refcount table; NO_PIECE for none. */
  readonly blocks: Int32Array;
  /** L2 tables without a single bit set, until they are given up. */
  readonly emptyTables: number[];
}

export async function surveyImage(source: WalkSource, bitmaps: readonly DirtyBitmap[]): Promise<Survey> {
  const hasSnapshots = source.header.snapshotCount > 0;
  const { snapshots, length } = hasSnapshots ? await readSnapshotTable(source) : { snapshots: [], length: 0 };
  const tables = { snapshots, snapshotTableLength: length, bitmaps };
  return await new Surveyor(source, tables, await collectPieces(source, tables)).survey();
}

class Surveyor {
  readonly #source: WalkSource;
  readonly #tables: NamedTables;
  readonly #emptyTables: number[] = [];
  readonly #pieces: PieceTable;
  readonly #words: PointerWords;

  constructor(source: WalkSource, tables: NamedTables, pieces: PieceTable) {
    this.#source = source;
    this.#tables = tables;
    this.#pieces = pieces;
    this.#words = new PointerWords(pieces.count);
  }

  async survey(): Promise<Survey> {
    const { header } = this.#source;
    await this.#readL1Words(
      header.l1TableHostOffset,
      header.l1EntryCount,
      HEADER_PIECE,
      Qcow2HeaderV2.fields.l1TableOffset.at,
    );
    await this.#readSnapshotWords();
    await this.#readBitmapWords();
    const { refcountTable, blocks } = await this.#readRefcountTable();
    await eachL2Table(this.#source, (table, hostOffset) => this.#readL2Words(table, hostOffset));
    return {
      placeCount: placeCountOf(this.#source),
      pieces: this.#pieces,
      words: this.#words,
      refcountTable,
      blocks,
      emptyTables: this.#emptyTables,
    };
  }

  /** The word at byte `within` of `holder` points at `hostOffset`, where a piece begins; answers that piece. */
  #add(hostOffset: number, holder: number, within: number): number {
    const { clusterSize } = this.#source.geometry;
    const piece = hostOffset % clusterSize === 0 ? this.#pieces.at(hostOffset / clusterSize) : NO_PIECE;
    if (piece === NO_PIECE || piece === HEADER_PIECE) throw this.#changed(this.#pieces.hostOffsetOf(holder) + within);
    this.#words.add(piece, holder, within);
    return piece;
  }

  async #readL1Words(hostOffset: number, entryCount: number, holder: number, within: number): Promise<void> {
    if (entryCount === 0) return;
    const { storage, geometry } = this.#source;
    this.#refuseCutOff("L1 table", hostOffset, entryCount * 8);
    const l1 = this.#add(hostOffset, holder, within);
    for (const entry of l1Entries(await readL1Bytes(storage, geometry, { hostOffset, entryCount }))) {
      this.#add(entry.hostOffset, l1, entry.index * 8);
    }
  }

  async #readSnapshotWords(): Promise<void> {
    const { header } = this.#source;
    if (header.snapshotCount === 0) return;
    const start = header.snapshotTableHostOffset;
    this.#refuseCutOff("snapshot table", start, this.#tables.snapshotTableLength);
    const table = this.#add(start, HEADER_PIECE, Qcow2HeaderV2.fields.snapshotsOffset.at);
    for (const { l1HostOffset, l1EntryCount, entryHostOffset } of this.#tables.snapshots) {
      await this.#readL1Words(l1HostOffset, l1EntryCount, table, entryHostOffset - start);
    }
  }

  async #readBitmapWords(): Promise<void> {
    const { extensions } = this.#source.header;
    const raw = extensions.all.find(({ type }) => type === ExtensionType.bitmaps);
    if (extensions.bitmaps === undefined || raw === undefined || this.#tables.bitmaps.length === 0) return;
    const start = extensions.bitmaps.directoryHostOffset;
    this.#refuseCutOff("bitmap directory", start, extensions.bitmaps.directorySize);
    const directory = this.#add(start, HEADER_PIECE, raw.hostOffset + BitmapsExtension.fields.directoryOffset.at);
    for (const { name, entryHostOffset, tableHostOffset, tableEntryCount } of this.#tables.bitmaps) {
      this.#refuseCutOff(`table of bitmap ${name}`, tableHostOffset, tableEntryCount * 8);
      const table = this.#add(tableHostOffset, directory, entryHostOffset - start);
      await this.#eachEntry(tableHostOffset, tableEntryCount, (high, low, index) => {
        const place = standardHostOffset(high, low);
        if (place !== 0) this.#add(place, table, index * 8);
      });
    }
  }

  async #readRefcountTable(): Promise<Pick<Survey, "refcountTable" | "blocks">> {
    const { header } = this.#source;
    const { refcountTableHostOffset: start, refcountTableClusterCount, clusterSize } = header;
    const entryCount = (refcountTableClusterCount * clusterSize) / 8;
    const refcountTable = this.#add(start, HEADER_PIECE, Qcow2HeaderV2.fields.refcountTableOffset.at);
    const blocks = new Int32Array(entryCount).fill(NO_PIECE);
    await this.#eachEntry(start, entryCount, (high, low, index) => {
      const { hostOffset } = parseRefcountTableEntry(high, low);
      if (hostOffset !== 0) blocks[index] = this.#add(hostOffset, refcountTable, index * 8);
    });
    return { refcountTable, blocks };
  }

  /** Calls `use` for each 64-bit entry that is not zero, with its halves signed. */
  async #eachEntry(
    hostOffset: number,
    entryCount: number,
    use: (high: number, low: number, index: number) => void,
  ): Promise<void> {
    for (let first = 0; first < entryCount; first += READ_ENTRIES) {
      const count = Math.min(READ_ENTRIES, entryCount - first);
      const { buffer } = await readZeroFilled(this.#source.storage, hostOffset + first * 8, count * 8);
      const view = new DataView(buffer);
      for (let index = 0; index < count; index++) {
        const [high, low] = [view.getInt32(index * 8), view.getInt32(index * 8 + 4)];
        if ((high | low) !== 0) use(high, low, first + index);
      }
    }
  }

  #readL2Words(table: DataView, hostOffset: number): void {
    const { clusterBits, clusterSize, l2EntrySize } = this.#source.geometry;
    this.#refuseCutOff("L2 table", hostOffset, clusterSize);
    const holder = this.#pieces.at(hostOffset / clusterSize);
    if (holder === NO_PIECE) throw this.#changed(hostOffset);
    let bits = 0;
    for (let at = 0; at < table.byteLength; at += l2EntrySize) {
      const [high, low] = [table.getInt32(at), table.getInt32(at + 4)];
      bits |= high | low;
      if (l2EntrySize > 8) bits |= table.getInt32(at + 8) | table.getInt32(at + 12);
      if ((high & L2Mask.compressedHigh) === 0) {
        const place = standardHostOffset(high, low);
        if (place !== 0) this.#add(place, holder, at);
        continue;
      }
      const piece = this.#pieces.holding(Math.floor(compressedHostOffset(high, low, clusterBits) / clusterSize));
      if (piece === NO_PIECE || piece === HEADER_PIECE) throw this.#changed(hostOffset + at);
      this.#words.add(piece, holder, at, true);
    }
    if (bits === 0) this.#emptyTables.push(holder);
  }

  /** QEMU reads what is missing as zeros; but zeros there are guest data that can't be found any more. */
  #refuseCutOff(structure: string, hostOffset: number, length: number): void {
    const { geometry, storage } = this.#source;
    if (hostOffset + length <= geometry.hostEnd) return;
    const because = `its ${structure} at host offset ${hex(hostOffset)} goes on past the end of the file, which was cut off`;
    throw cannotRearrange("corrupt", storage.path, because, { structure, hostOffset, remedy: "get it whole" });
  }

  #changed(hostOffset: number) {
    const because = `the pointer at host offset ${hex(hostOffset)} is another than when it was checked`;
    return cannotRearrange("changed-underneath", this.#source.storage.path, because, { hostOffset });
  }
}
