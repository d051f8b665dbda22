/**
 * Units of several pieces brought together, each to a slot of its own: which one goes where is chosen on the way, so that
 * what is moved out of the way goes to its place at once, wherever it can.
 *
 *   |h|       | a | b | c | d |  spares  |       slots lie between the places where the units are
 *   |h|       | - | - | c | d |  a   b   |       room for the first ones is made once
 *   |h| c | d | - | - | - | - |  a   b   |       whoever lies next goes there, and so makes room for the others
 *   |h| c | d | a | b |       |          |
 *
 * Where pieces are strewn, those of other units lie next as well: they go to spares.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import type { Moves } from "../../image/rearranger.ts";
import { MovedRuns } from "./moved-runs.ts";
import { PlaceNotes } from "./place-notes.ts";
import type { Schedule } from "./schedule.ts";
import { type SlotPieces, type Slots, slotStart } from "./slots.ts";
import { SparePlaces } from "./spare-places.ts";

export interface GatherInput {
  readonly slots: Slots;
  readonly pieces: SlotPieces;
  readonly pieceSize: number;
  /** Free places of a piece's size, apart from one another, that lie in no slot to be filled. */
  readonly spares: readonly number[];
  /** From here on nothing lies: more of them, should they be too few. */
  readonly behind: number;
  /** Most bytes that are copied between two barriers; one unit at least. */
  readonly epochBytes: number;
  /** No slot may reach behind this: other things lie there. */
  readonly limit: number;
}

const NOWHERE = -1;
/** Of the pieces that a slot can have: so small a part costs less than epochs that are shorter by that slot. */
const FEW_OF = 16;

export function scheduleGather(input: GatherInput): Schedule {
  const gathering = new Gathering(input);
  const epochs: Moves[] = [];
  while (!gathering.isDone) epochs.push(gathering.nextEpoch());
  return {
    moveCount: gathering.moveCount,
    bytesMoved: gathering.moveCount * input.pieceSize,
    epochCount: epochs.length,
    epochs: () => epochs,
    peakEnd: gathering.peakEnd,
    end: gathering.end,
  };
}

/** Bytes of spares with which slots can be emptied one by one, however pieces lie in them. */
export function leastSpares({ pitch }: Slots, pieceSize: number): number {
  return Math.ceil((2 * pitch) / pieceSize + 2) * pieceSize;
}

/** Units that lie whole in a slot and stay in it. */
export function stayingUnits({ slots, pieces, limit }: Pick<GatherInput, "slots" | "pieces" | "limit">) {
  const { first, leadIn, unitSize, pitch, isDense } = slots;
  const { guestOffset, hostOffset } = pieces;
  const start: number[] = [];
  for (let piece = 0, unit = NOWHERE; piece < guestOffset.length; piece++) {
    const now = Math.floor((guestOffset[piece] as number) / unitSize);
    if (now !== unit) start.push(piece);
    unit = now;
  }
  const unitCount = start.length;
  start.push(guestOffset.length);
  const slotOf = new Float64Array(unitCount).fill(NOWHERE);
  const taken = new Set<number>();
  let stayCount = 0;
  for (let unit = 0; unit < unitCount; unit++) {
    const at = start[unit] as number;
    const within = (guestOffset[at] as number) % unitSize;
    const base = (hostOffset[at] as number) - within - leadIn;
    const slot = (base - first) / pitch;
    if (slot < 0 || !Number.isInteger(slot) || base + pitch > limit || (isDense && slot >= unitCount)) continue;
    let isWhole = true;
    for (let piece = at; piece < (start[unit + 1] as number) && isWhole; piece++)
      isWhole = (hostOffset[piece] as number) - base - leadIn === (guestOffset[piece] as number) % unitSize;
    // Of two that are stored in part each may lie beside the other.
    if (!isWhole || taken.has(slot)) continue;
    taken.add(slot);
    slotOf[unit] = slot;
    stayCount++;
  }
  return { start, unitCount, slotOf, stayCount };
}

/** What is to become of a slot: nothing where its unit stays. */
const Slot = { stays: 0, blocked: 1, empty: 2, filled: 3 } as const;

class Gathering {
  readonly #input: GatherInput;
  /** Of each unit its first piece; one more at the end. */
  readonly #start: readonly number[];
  /** Of each unit its slot, or NOWHERE. */
  readonly #slotOf: Float64Array;
  /** Where each piece lies now. */
  readonly #at: Float64Array;
  readonly #unitOf: Uint32Array;
  /** One more than the piece that begins in each stretch of a piece's size. */
  readonly #holder = new PlaceNotes();
  readonly #spares = new SparePlaces();
  #behind: number;
  /** As many as units that do not stay are to be filled. */
  readonly #slots: Uint8Array;
  readonly #staying: ReadonlySet<number>;
  #left: number;
  /** Below it no slot is blocked. */
  #frontier = 0;
  /** Slots that were empty at the last barrier, in the order in which they became so. */
  readonly #empty: number[] = [];
  #taken = 0;
  readonly #moves = new MovedRuns(SECTOR_SIZE);
  /** Units by where they lay at first. */
  readonly #order: Uint32Array;
  #next = 0;
  /** Units of which a piece has gone to a spare, the last one last. */
  readonly #displaced: number[] = [];
  moveCount = 0;
  peakEnd = 0;

  constructor(input: GatherInput) {
    this.#input = input;
    const { guestOffset, hostOffset } = input.pieces;
    const { start, unitCount, slotOf, stayCount } = stayingUnits(input);
    this.#start = start;
    this.#slotOf = slotOf;
    this.#behind = input.behind;
    this.#at = hostOffset.slice();
    this.#unitOf = new Uint32Array(guestOffset.length);
    for (let unit = 0; unit < unitCount; unit++) this.#unitOf.fill(unit, start[unit], start[unit + 1]);
    for (const [piece, place] of this.#at.entries()) {
      this.#holder.set(this.#stretch(place), piece + 1);
      this.peakEnd = Math.max(this.peakEnd, place + input.pieceSize);
    }
    for (const spare of input.spares) this.#spares.add(spare);
    this.#staying = new Set(slotOf);
    this.#left = unitCount - stayCount;
    const slots: number[] = [];
    for (let slot = 0, left = this.#left; left > 0; slot++) {
      slots.push(this.#staying.has(slot) ? Slot.stays : Slot.blocked);
      if (slots[slot] === Slot.blocked) left--;
    }
    this.#slots = Uint8Array.from(slots);
    for (const slot of this.#slots.keys()) this.#lookAt(slot);
    const lowest = Float64Array.from(start.slice(0, unitCount), (piece) => this.#at[piece] as number);
    this.#order = Uint32Array.from(lowest.keys()).sort((a, b) => (lowest[a] as number) - (lowest[b] as number));
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  /** One past the last byte that a piece has now. */
  get end(): number {
    let end = 0;
    for (const place of this.#at) end = Math.max(end, place + this.#input.pieceSize);
    return end;
  }

  nextEpoch(): Moves {
    const { slots, pieces, epochBytes } = this.#input;
    const most = Math.max(1, Math.floor(epochBytes / slots.pitch));
    const vacated: number[] = [];
    const units = this.#choose(most);
    for (const [at, unit] of units.entries()) {
      const slot = this.#empty[this.#taken + at] as number;
      this.#slotOf[unit] = slot;
      this.#slots[slot] = Slot.filled;
      const base = slotStart(slots, slot) + slots.leadIn;
      for (let piece = this.#start[unit] as number; piece < (this.#start[unit + 1] as number); piece++)
        this.#move(piece, base + ((pieces.guestOffset[piece] as number) % slots.unitSize), vacated);
    }
    this.#taken += units.length;
    this.#left -= units.length;
    this.#makeRoom(most, units.length > 0, vacated);
    for (const place of vacated) this.#giveBack(place);
    return this.#moves.take();
  }

  get #emptyCount(): number {
    return this.#empty.length - this.#taken;
  }

  /** Units for the empty slots, as many bytes as an epoch may have: those first that make the most room for others. */
  #choose(most: number): number[] {
    const { epochBytes, pieceSize, slots } = this.#input;
    const chosen: number[] = [];
    let bytes = 0;
    const take = (unit: number): boolean => {
      if (this.#slotOf[unit] !== NOWHERE) return true;
      const length = ((this.#start[unit + 1] as number) - (this.#start[unit] as number)) * pieceSize;
      if (chosen.length === this.#emptyCount || (bytes > 0 && bytes + length > epochBytes)) return false;
      // Until it is moved any place that is no slot will do.
      this.#slotOf[unit] = Number.POSITIVE_INFINITY;
      chosen.push(unit);
      bytes += length;
      return true;
    };
    const takeDisplaced = (): void => {
      while (this.#displaced.length > 0 && take(this.#displaced.at(-1) as number)) this.#displaced.pop();
    };
    if (this.#emptyCount === 0) return chosen;
    // With few slots, and no spares to make others empty: what lies in spares gives both.
    if (this.#emptyCount <= most / 2 && this.#spares.count * pieceSize < slots.pitch) takeDisplaced();
    const pieceCounts = new Map<number, number>();
    for (const slot of this.#blocked(most))
      for (const piece of this.#piecesIn(slot)) {
        const unit = this.#unitOf[piece] as number;
        pieceCounts.set(unit, (pieceCounts.get(unit) ?? 0) + 1);
      }
    for (const [unit] of [...pieceCounts].sort(([, a], [, b]) => b - a)) if (!take(unit)) return chosen;
    while (this.#next < this.#order.length && take(this.#order[this.#next] as number)) this.#next++;
    takeDisplaced();
    return chosen;
  }

  /**
   * Where too few slots will be empty, pieces go out of the first of the others, and where next to nothing is in the way of
   * one more. With nothing else to do one is emptied in any case.
   */
  #makeRoom(most: number, isMoving: boolean, vacated: number[]): void {
    const { slots, pieceSize, epochBytes } = this.#input;
    const next = [...this.#blocked(most)];
    const blocked = next.filter((slot) => !this.#isEmpty(slot));
    const emptyCount = this.#emptyCount + next.length - blocked.length;
    const isShort = emptyCount < Math.ceil(Math.min(most, this.#left) / 2);
    let more = Math.min(most, this.#left) - emptyCount;
    for (const slot of blocked) {
      const pieces = [...this.#piecesIn(slot)];
      const end = slotStart(slots, slot) + slots.pitch;
      if (more-- <= 0 || !(isShort || pieces.length <= slots.unitSize / pieceSize / FEW_OF)) return;
      for (const piece of pieces) {
        const bytes = vacated.length * pieceSize;
        const isForced = !isMoving && slot === blocked[0];
        if (bytes + pieceSize > epochBytes && !isForced) return;
        const spare = this.#takeSpare(end) ?? (isForced ? this.#moreSpares() : undefined);
        if (spare === undefined) return;
        this.#move(piece, spare, vacated);
        const unit = this.#unitOf[piece] as number;
        if (this.#displaced.at(-1) !== unit) this.#displaced.push(unit);
      }
    }
  }

  /** The last one, if it lies behind `end`; what lies in an empty slot by now is none any more. */
  #takeSpare(end: number): number | undefined {
    for (let last = this.#spares.last; last !== undefined && last >= end; last = this.#spares.last) {
      this.#spares.takeLast();
      if (this.#slotsAt(last).every((slot) => this.#slots[slot] === undefined || this.#slots[slot] === Slot.blocked))
        return last;
    }
    return undefined;
  }

  #moreSpares(): number {
    const spare = this.#behind;
    this.#behind += this.#input.pieceSize;
    return spare;
  }

  *#blocked(most: number): Generator<number> {
    let count = 0;
    while (this.#frontier < this.#slots.length && this.#slots[this.#frontier] !== Slot.blocked) this.#frontier++;
    for (let slot = this.#frontier; slot < this.#slots.length && count < most; slot++) {
      if (this.#slots[slot] !== Slot.blocked) continue;
      count++;
      yield slot;
    }
  }

  /** Those that lie in a slot or reach into it. */
  *#piecesIn(slot: number): Generator<number> {
    const { slots, pieceSize } = this.#input;
    const start = slotStart(slots, slot);
    const last = this.#stretch(start + slots.pitch - 1);
    for (let stretch = Math.max(0, this.#stretch(start) - 1); stretch <= last; stretch++) {
      const piece = this.#holder.get(stretch) - 1;
      if (piece < 0) continue;
      const at = this.#at[piece] as number;
      if (at + pieceSize > start && at < start + slots.pitch) yield piece;
    }
  }

  #isEmpty(slot: number): boolean {
    return this.#piecesIn(slot).next().done === true;
  }

  /** A blocked slot in which nothing lies any more is there to be filled. */
  #lookAt(slot: number): void {
    if (this.#slots[slot] !== Slot.blocked || !this.#isEmpty(slot)) return;
    this.#slots[slot] = Slot.empty;
    this.#empty.push(slot);
  }

  #move(piece: number, to: number, vacated: number[]): void {
    const from = this.#at[piece] as number;
    const { pieceSize } = this.#input;
    this.#moves.add(from / SECTOR_SIZE, to / SECTOR_SIZE, pieceSize / SECTOR_SIZE);
    if (this.#holder.get(this.#stretch(from)) === piece + 1) this.#holder.set(this.#stretch(from), 0);
    this.#at[piece] = to;
    this.#holder.set(this.#stretch(to), piece + 1);
    vacated.push(from);
    this.moveCount++;
    this.peakEnd = Math.max(this.peakEnd, to + pieceSize);
  }

  /** What was left is a spare, or makes a slot empty. Where a unit stays its rest has to read as zeros. */
  #giveBack(place: number): void {
    const touched = this.#slotsAt(place);
    for (const slot of touched) this.#lookAt(slot);
    if (!touched.some((slot) => this.#staying.has(slot))) this.#spares.add(place);
  }

  /** The slots that a piece at `place` would touch. */
  #slotsAt(place: number): number[] {
    const { slots, pieceSize } = this.#input;
    const first = Math.floor((place - slots.first) / slots.pitch);
    const last = Math.floor((place + pieceSize - 1 - slots.first) / slots.pitch);
    return first === last ? [first] : [first, last];
  }

  #stretch(hostOffset: number): number {
    return Math.floor(hostOffset / this.#input.pieceSize);
  }
}
