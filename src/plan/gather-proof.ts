/**
 * A gathering's proof: its moves made on paper, by nothing of what planned them, before anything is written.
 *
 * It shows that no place is written that was live at the last barrier, that nothing else is touched, that in the end each
 * unit lies whole in a slot of its own, and that what stays could.
 */

import { counted } from "../bytes/count-text.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import type { GatherInput } from "./schedule/gather.ts";
import { PlaceNotes } from "./schedule/place-notes.ts";
import type { Schedule } from "./schedule/schedule.ts";

/** `fixed`: host ranges that hold anything else. Throws ImageError `verification-failed` at the first move that may not be made. */
export function proveGathering(input: GatherInput, fixed: RangeSet, schedule: Schedule): void {
  const { pieces, pieceSize, epochBytes, slots } = input;
  const paper = new Paper(input);
  let moveCount = 0;
  let epochCount = 0;
  for (const { count, fromHostOffset, toHostOffset, length } of schedule.epochs()) {
    epochCount++;
    const left: number[] = [];
    let lastTo = 0;
    for (let run = 0; run < count; run++) {
      const [from, to, bytes] = [fromHostOffset[run], toHostOffset[run], length[run]] as [number, number, number];
      if (to < lastTo) throw failed("two moves go to one place, or not in order", to);
      lastTo = to + bytes;
      if (fixed.intersects(to, lastTo)) throw failed("what may not be moved would be written over", to);
      if (bytes <= 0 || bytes % pieceSize !== 0) throw failed("a move is not made of whole pieces", from);
      for (let at = 0; at < bytes; at += pieceSize) {
        paper.copy(from + at, to + at);
        left.push(from + at);
      }
    }
    if (left.length * pieceSize > Math.max(epochBytes, slots.pitch + 2 * pieceSize))
      throw failed(`an epoch copies ${left.length * pieceSize} bytes`, lastTo);
    // A barrier: the pointers are durable.
    for (const from of left) paper.leave(from);
    moveCount += left.length;
  }
  paper.finish(input, fixed);
  // Each once to its slot, and once more whatever can lie in a slot that is emptied for another unit.
  const most = pieces.hostOffset.length + paper.unitCount * (Math.ceil(slots.pitch / pieceSize) + 1);
  if (moveCount > most) throw failed(`${counted(moveCount, "move")} of pieces, where ${most} would do`, 0);
  same("pieces are copied", moveCount, schedule.moveCount);
  same("bytes are moved", moveCount * pieceSize, schedule.bytesMoved);
  same("epochs are made", epochCount, schedule.epochCount);
  same("is one past the last place used", paper.peak, schedule.peakEnd);
  same("is one past the last place used in the end", paper.end, schedule.end);
}

/** Pieces are of one size and lie apart, so that in each stretch of that size no more than one begins. */
class Paper {
  readonly #size: number;
  /** One more than the piece that begins in each stretch: what is live at the last barrier, and what was copied since. */
  readonly #holder = new PlaceNotes();
  readonly #at: Float64Array;
  /** Where a piece goes in the epoch that is under way. */
  readonly #to = new Map<number, number>();
  peak = 0;
  unitCount = 0;

  constructor({ pieces, pieceSize }: GatherInput) {
    this.#size = pieceSize;
    this.#at = pieces.hostOffset.slice();
    for (const [piece, place] of this.#at.entries()) this.#put(piece, place);
  }

  get end(): number {
    return this.#at.reduce((end, place) => Math.max(end, place + this.#size), 0);
  }

  copy(from: number, to: number): void {
    const piece = this.#holder.get(this.#stretch(from)) - 1;
    if (piece < 0 || this.#at[piece] !== from || this.#to.has(piece))
      throw failed("no piece lies there to be moved", from);
    this.#to.set(piece, to);
    this.#put(piece, to);
  }

  leave(from: number): void {
    const stretch = this.#stretch(from);
    const piece = this.#holder.get(stretch) - 1;
    const to = this.#to.get(piece);
    if (to === undefined) throw failed("a piece has left no copy", from);
    this.#holder.set(stretch, 0);
    this.#at[piece] = to;
    this.#to.delete(piece);
  }

  /** Each unit whole, in a slot of its own, with nothing beside it that is anybody's. */
  finish({ slots, pieces, pieceSize, limit }: GatherInput, fixed: RangeSet): void {
    const { first, pitch, leadIn, unitSize, isDense } = slots;
    const unitAt = new Map<number, number>();
    let last = -1;
    for (const [piece, place] of this.#at.entries()) {
      const guestOffset = pieces.guestOffset[piece] as number;
      const unit = Math.floor(guestOffset / unitSize);
      if (unit !== last) this.unitCount++;
      last = unit;
      const start = place - (guestOffset % unitSize) - leadIn;
      const slot = (start - first) / pitch;
      if (slot < 0 || !Number.isInteger(slot) || start + pitch > limit)
        throw failed("a piece lies in no slot, or not where it belongs in one", place);
      if ((unitAt.get(slot) ?? unit) !== unit) throw failed("two units share a slot", start);
      if (!unitAt.has(slot) && fixed.intersects(start, start + pitch))
        throw failed("something else lies in a unit's slot", start);
      unitAt.set(slot, unit);
      // Nobody else's piece is left in it, since each lies in its own.
      if (place + pieceSize > start + pitch) throw failed("a piece reaches out of its slot", place);
    }
    if (unitAt.size !== this.unitCount) throw failed("the pieces of a unit lie apart", first);
    if (!isDense) return;
    for (let slot = 0; slot < this.unitCount; slot++)
      if (!unitAt.has(slot)) throw failed("a slot is left empty between others", first + slot * pitch);
  }

  #put(piece: number, place: number): void {
    const stretch = this.#stretch(place);
    for (let near = Math.max(0, stretch - 1); near <= stretch + 1; near++) {
      const other = this.#holder.get(near) - 1;
      if (other < 0) continue;
      const isAtCopy = this.#stretch(this.#at[other] as number) !== near;
      const at = (isAtCopy ? this.#to.get(other) : this.#at[other]) as number;
      if (Math.abs(at - place) < this.#size)
        throw failed("a place is written that was live at the last barrier", place);
    }
    this.#holder.set(stretch, piece + 1);
    this.peak = Math.max(this.peak, place + this.#size);
  }

  #stretch(hostOffset: number): number {
    return Math.floor(hostOffset / this.#size);
  }
}

function same(what: string, found: number, foretold: number): void {
  if (found !== foretold) throw failed(`${found} ${what}, and ${foretold} was foretold`, 0);
}

function failed(what: string, hostOffset: number): ImageError {
  return new ImageError("verification-failed", `Cannot prove the gathering at host offset ${hex(hostOffset)}`, {
    because: what,
    state: "nothing was moved, please report this",
    structure: "schedule",
    hostOffset,
  });
}
