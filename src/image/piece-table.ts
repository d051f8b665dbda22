/**
 * Everything of an image that lies somewhere, by a number of its own that stays when it moves: a cluster, or several
 * that must lie in one run. Found by its place; memory is some 8 bytes a piece, whatever the file's length.
 */

import type { Bitmap } from "../bytes/bitmap.ts";
import { firstAbove } from "../bytes/first-above.ts";
import { RangeSet } from "../bytes/range-set.ts";
import type { Moves, Pieces } from "./rearranger.ts";

/** No piece. */
export const NO_PIECE = -1;
/** Of the slots; more would make the runs in them long. */
const MAX_LOAD = 0.85;
/** The header cluster: it has words and stays. */
export const HEADER_PIECE = 0;

/** Those of more than one cluster, ascending, with their lengths in clusters. */
export interface LongPieces {
  readonly piece: Uint32Array;
  readonly length: Uint32Array;
}

export class PieceTable {
  readonly clusterSize: number;
  readonly used: Bitmap;
  /** Host cluster of each piece's first byte, by its number; of a piece that was taken out, where it lay. */
  #place: Uint32Array;
  readonly #long: LongPieces;
  /** Open addressing by place: a piece's number and 1, 0 for an empty slot. */
  #slots = new Uint32Array(0);
  #shift = 0;
  #count: number;
  /** Pieces that have not been taken out. */
  #alive: number;

  /** `place` ascends and begins with the header's; `used` has all of it marked, and what stays as well. */
  constructor(place: Uint32Array, long: LongPieces, used: Bitmap, clusterSize: number) {
    this.#place = place;
    this.#long = long;
    this.used = used;
    this.clusterSize = clusterSize;
    this.#alive = place.length;
    this.#count = place.length;
    this.#makeSlots();
    for (let piece = 0; piece < place.length; piece++) this.#enter(piece);
  }

  /** One past the highest number of a piece. */
  get count(): number {
    return this.#count;
  }

  /** The piece whose first cluster this is, or NO_PIECE. */
  at(cluster: number): number {
    const slots = this.#slots;
    for (let slot = this.#slotOf(cluster); ; slot = (slot + 1) & (slots.length - 1)) {
      const piece = (slots[slot] as number) - 1;
      if (piece < 0 || this.#place[piece] === cluster) return piece;
    }
  }

  /** The piece that holds `cluster`, or NO_PIECE; by bisection, so only before anything has moved. */
  holding(cluster: number): number {
    const piece = firstAbove(this.#place, cluster) - 1;
    return piece >= 0 && cluster < this.clusterOf(piece) + this.lengthOf(piece) ? piece : NO_PIECE;
  }

  clusterOf(piece: number): number {
    return this.#place[piece] as number;
  }

  hostOffsetOf(piece: number): number {
    return (this.#place[piece] as number) * this.clusterSize;
  }

  /** In clusters. */
  lengthOf(piece: number): number {
    const { piece: long, length } = this.#long;
    if (long.length === 0) return 1;
    const at = firstAbove(long, piece) - 1;
    return long[at] === piece ? (length[at] as number) : 1;
  }

  move(piece: number, cluster: number): void {
    this.#leave(piece);
    this.#place[piece] = cluster;
    this.#enter(piece);
    this.used.mark(cluster, this.lengthOf(piece));
  }

  /** A new piece of one cluster, and its number. */
  add(cluster: number): number {
    const piece = this.#count++;
    if (piece === this.#place.length) this.#place = withRoom(this.#place);
    this.#place[piece] = cluster;
    this.#alive++;
    if (this.#alive > this.#slots.length * MAX_LOAD) this.#makeSlots();
    this.#enter(piece);
    this.used.mark(cluster, 1);
    return piece;
  }

  /** Nothing points at it any more. */
  takeOut(piece: number): void {
    this.#leave(piece);
    this.#alive--;
  }

  /** All but the header that begin at `first` or behind it, ascending. */
  movable(first: number): Pieces {
    const end = this.used.markedEnd;
    const most = Math.max(0, Math.min(this.#alive - 1, end - first));
    const hostOffset = new Float64Array(most);
    const length = new Float64Array(most);
    let count = 0;
    for (let cluster = this.used.nextMarked(Math.max(1, first), end); cluster < end; ) {
      const piece = this.at(cluster);
      const clusters = piece === NO_PIECE ? 1 : this.lengthOf(piece);
      if (piece !== NO_PIECE) {
        hostOffset[count] = cluster * this.clusterSize;
        length[count] = clusters * this.clusterSize;
        count++;
      }
      cluster = this.used.nextMarked(cluster + clusters, end);
    }
    return { count, hostOffset: hostOffset.subarray(0, count), length: length.subarray(0, count) };
  }

  #slotOf(cluster: number): number {
    return Math.imul(cluster, 0x9e37_79b1) >>> this.#shift;
  }

  /** Room for the pieces that are there and some more; those that were entered are entered anew. */
  #makeSlots(): void {
    const before = this.#slots;
    const bits = Math.max(4, Math.ceil(Math.log2(this.#alive * 1.25)));
    this.#slots = new Uint32Array(2 ** bits);
    this.#shift = 32 - bits;
    for (const slot of before) if (slot !== 0) this.#enter(slot - 1);
  }

  #enter(piece: number): void {
    const slots = this.#slots;
    let slot = this.#slotOf(this.clusterOf(piece));
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = piece + 1;
  }

  /** Those behind it in the same run of slots move up, so that none is lost behind an empty one. */
  #leave(piece: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    this.used.clear(this.clusterOf(piece), this.lengthOf(piece));
    let hole = this.#slotOf(this.clusterOf(piece));
    while (slots[hole] !== piece + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#slotOf(this.clusterOf((slots[slot] as number) - 1));
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot] as number;
      hole = slot;
    }
    slots[hole] = 0;
  }
}

/** The pieces that move and the places they go to. Throws for moves that are none of this file's. */
export function movingPieces(pieces: PieceTable, { count, fromHostOffset, toHostOffset, length }: Moves) {
  const { used, clusterSize } = pieces;
  const moving = new Map<number, number>();
  const taken = new RangeSet();
  let takenCount = 0;
  for (let row = 0; row < count; row++) {
    const [from, target] = [(fromHostOffset[row] as number) / clusterSize, (toHostOffset[row] as number) / clusterSize];
    const clusterCount = (length[row] as number) / clusterSize;
    for (let turn = 0; turn < clusterCount; ) {
      const piece = pieces.at(from + turn);
      const pieceLength = piece === NO_PIECE ? 0 : pieces.lengthOf(piece);
      if (piece === NO_PIECE || piece === HEADER_PIECE || turn + pieceLength > clusterCount) {
        throw new RangeError(`no piece that can go lies whole at cluster ${from + turn}`);
      }
      moving.set(piece, target + turn);
      turn += pieceLength;
    }
    const next = used.nextMarked(target, target + clusterCount);
    if (next < target + clusterCount) throw new RangeError(`cluster ${next} is used already`);
    taken.add(target, target + clusterCount);
    takenCount += clusterCount;
  }
  if (taken.total !== takenCount) throw new RangeError("two moves lead to one cluster");
  return moving;
}

/** The same with room for more behind it. */
export function withRoom(list: Uint32Array): Uint32Array {
  const copy = new Uint32Array(list.length + 1024);
  copy.set(list);
  return copy;
}
