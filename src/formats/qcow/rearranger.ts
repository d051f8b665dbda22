/**
 * The rearranger of qcow: nothing is counted, and each pointer is one word of 8 bytes.
 *
 *   repoint     header -> L1 table -> L2 tables -> clusters and streams: each word that points at what moved
 *
 * A word in a table that moves at the same time is written at both places, since until the epoch is durable either may be
 * the one that is read.
 */

import { KiB, SECTOR_SIZE } from "../../bytes/align.ts";
import type { Bitmap } from "../../bytes/bitmap.ts";
import { hex, ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say, type Words } from "../../bytes/sentence.ts";
import { movingPieces, type PieceTable } from "../../image/piece-table.ts";
import type { Moves, Pieces, Rearranger, TidyStep } from "../../image/rearranger.ts";
import type { Write } from "../../image/write.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import {
  compressedLength,
  compressedOffset,
  isCompressedEntry,
  plainOffset,
  putCompressedEntry,
  putPlainEntry,
  streamLimit,
} from "./entry.ts";
import { ENTRY_SIZE, type QcowHeader, QcowHeaderFields } from "./header.ts";
import { Owner } from "./places.ts";
import type { QcowScan } from "./scan.ts";
import { type Survey, survey } from "./survey.ts";

/** Words that lie no further apart are read together. */
const MAX_GAP = 4 * KiB;
const MAX_READ = 256 * KiB;

/** One word to be changed. */
interface Change {
  readonly hostOffset: number;
  /** Where its table moves to in the same epoch. */
  readonly twin: number | undefined;
  readonly isStream: boolean;
  readonly piece: number;
  readonly distance: number;
}

export class QcowRearranger implements Rearranger {
  readonly unitSize: number;
  readonly used: Bitmap;
  readonly barred: RangeSet;
  readonly #storage: Storage;
  readonly #header: QcowHeader;
  readonly #survey: Survey;
  readonly #pieces: PieceTable;

  /** Of an image whose check found nothing but leaks. */
  constructor(storage: Storage, header: QcowHeader, scan: QcowScan, alignment?: number) {
    this.#storage = storage;
    this.#header = header;
    this.#survey = survey(header, scan, storage.path, alignment);
    this.#pieces = this.#survey.pieces;
    this.unitSize = this.#survey.unitSize;
    this.used = this.#pieces.used;
    this.barred = RangeSet.of({ start: this.#survey.placeCount * this.unitSize, end: Number.MAX_SAFE_INTEGER });
  }

  pieces(fromHostOffset = 0): Pieces {
    return this.#pieces.movable(Math.ceil(fromHostOffset / this.unitSize));
  }

  async recount(): Promise<readonly Write[]> {
    return [];
  }

  async repoint(moves: Moves): Promise<readonly Write[]> {
    const moving = movingPieces(this.#pieces, moves);
    const changes: Change[] = [];
    for (const [piece, toPlace] of moving) {
      const distance = (toPlace - this.#pieces.clusterOf(piece)) * this.unitSize;
      for (const owner of this.#survey.ownersOf(piece)) {
        const { holder, hostOffset } = this.#wordOf(owner);
        const holderTo = moving.get(holder);
        const twin =
          holderTo === undefined ? undefined : hostOffset + (holderTo - this.#pieces.clusterOf(holder)) * this.unitSize;
        changes.push({ hostOffset, twin, isStream: Owner.isStream(owner), piece, distance });
      }
    }
    return this.#writes(changes.sort((a, b) => a.hostOffset - b.hostOffset));
  }

  follow(moves: Moves): void {
    for (const [piece, toPlace] of movingPieces(this.#pieces, moves)) this.#pieces.move(piece, toPlace);
  }

  async tidy(): Promise<readonly TidyStep[]> {
    return [];
  }

  /** The word that says where `owner` lies, and the piece that holds it; of one in what stays below 0. */
  #wordOf(owner: number): { readonly holder: number; readonly hostOffset: number } {
    if (owner === Owner.l1Table) return { holder: 0, hostOffset: QcowHeaderFields.fields.l1TableOffset.at };
    if (owner < 0) return this.#inTable(Owner.l1Table, Owner.tableIndex(owner));
    const { bytesPerL2Table, clusterSize } = this.#header;
    const l1Index = Math.floor(owner / bytesPerL2Table);
    return this.#inTable(Owner.ofTable(l1Index), Math.floor((owner % bytesPerL2Table) / clusterSize));
  }

  #inTable(table: number, index: number) {
    const { piece, within } = this.#survey.tableAt(table);
    const base = piece < 0 ? 0 : this.#pieces.hostOffsetOf(piece);
    return { holder: piece, hostOffset: base + within + index * ENTRY_SIZE };
  }

  async #writes(changes: readonly Change[]): Promise<readonly Write[]> {
    const writes: Write[] = [];
    let sector: Uint8Array | undefined;
    for (let first = 0; first < changes.length; ) {
      const start = (changes[first] as Change).hostOffset;
      let next = first + 1;
      let end = start + ENTRY_SIZE;
      for (; next < changes.length; next++) {
        const { hostOffset } = changes[next] as Change;
        if (hostOffset - end > MAX_GAP || hostOffset + ENTRY_SIZE - start > MAX_READ) break;
        end = hostOffset + ENTRY_SIZE;
      }
      const bytes = await readZeroFilled(this.#storage, start, end - start);
      for (; first < next; first++) {
        const change = changes[first] as Change;
        const word = bytes.slice(change.hostOffset - start, change.hostOffset - start + ENTRY_SIZE);
        this.#change(change, word);
        if (change.hostOffset < SECTOR_SIZE) {
          // The header's sector is written whole, as every other header is.
          sector ??= await readZeroFilled(this.#storage, 0, SECTOR_SIZE);
          sector.set(word.subarray(0, SECTOR_SIZE - change.hostOffset), change.hostOffset);
        } else writes.push({ hostOffset: change.hostOffset, bytes: word });
        if (change.twin !== undefined) writes.push({ hostOffset: change.twin, bytes: word });
      }
    }
    const joined = joinedWrites(writes);
    return sector === undefined ? joined : [{ hostOffset: 0, bytes: sector }, ...joined];
  }

  /** Puts the new place into the word, if it holds the old one. */
  #change({ isStream, piece, distance, hostOffset }: Change, word: Uint8Array): void {
    const { clusterBits } = this.#header;
    const view = new DataView(word.buffer, word.byteOffset, word.byteLength);
    const [high, low] = [view.getInt32(0), view.getInt32(4)];
    const found = isStream ? compressedOffset(high, low, clusterBits) : plainOffset(high, low);
    const from = this.#pieces.hostOffsetOf(piece);
    const end = from + this.#pieces.lengthOf(piece) * this.unitSize;
    if (isCompressedEntry(high) !== isStream || found < from || found >= end) {
      const { path } = this.#storage;
      const because = `the word at host offset ${hex(hostOffset)} does not point at ${hex(from)} any more`;
      throw cannotRearrange("changed-underneath", path, because, hostOffset);
    }
    if (!isStream) putPlainEntry(view, 0, found + distance);
    else {
      const to = found + distance;
      if (to >= streamLimit(clusterBits)) {
        const because = `no entry points at a stream as far as host offset ${hex(to)}`;
        throw cannotRearrange("out-of-bounds", this.#storage.path, because, hostOffset);
      }
      putCompressedEntry(view, 0, { hostOffset: to, storedLength: compressedLength(high, clusterBits) }, clusterBits);
    }
  }
}

/** Ascending, neighbours together. */
function joinedWrites(writes: readonly Write[]): Write[] {
  const sorted = [...writes].sort((a, b) => a.hostOffset - b.hostOffset);
  const joined: Write[] = [];
  for (let first = 0; first < sorted.length; ) {
    const { hostOffset } = sorted[first] as Write;
    let end = hostOffset;
    let next = first;
    do end += (sorted[next++] as Write).bytes.length;
    while (sorted[next]?.hostOffset === end);
    const bytes = new Uint8Array(end - hostOffset);
    for (; first < next; first++) {
      const write = sorted[first] as Write;
      bytes.set(write.bytes, write.hostOffset - hostOffset);
    }
    joined.push({ hostOffset, bytes });
  }
  return joined;
}

export function cannotRearrange(
  kind: ImageErrorKind,
  path: string,
  because: Words,
  hostOffset?: number,
  remedy?: Words,
): ImageError {
  const details = { because, remedy, format: "qcow", path, hostOffset, operation: "rearrange" };
  return new ImageError(kind, say`Cannot rearrange ${imageNamed(path)}`, details);
}
