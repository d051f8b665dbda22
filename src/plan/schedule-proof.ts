/**
 * A schedule's proof: its moves made on paper, by nothing of what planned them, before anything is written.
 *
 * It shows that no place is written that was live at the last barrier, that nothing is lost, moved without need or left
 * past the end, and that bytes, barriers and peak are as foretold.
 */

import { hex, ImageError } from "../bytes/image-error.ts";
import type { Moves } from "../image/rearranger.ts";
import { PlaceNotes } from "./schedule/place-notes.ts";
import type { CompactInput, FixedInput, Schedule } from "./schedule/schedule.ts";

/** Throws ImageError `verification-failed` at the first move that may not be made, or figure that is not right. */
export function proveSchedule(input: FixedInput | CompactInput, schedule: Schedule): void {
  const rules = "wanted" in input ? new FixedRules(input, schedule) : new CompactRules(input, schedule);
  const paper = new Paper(input, schedule);
  for (const moves of schedule.epochs()) {
    paper.checkEpoch(moves);
    rules.checkEpoch?.(moves, paper.epochBytes);
    paper.makeMoves(moves, rules);
  }
  paper.finish();
  rules.finish(paper);
}

/** The fewest bytes that any schedule moves: each misplaced unit once, and one of each cycle once more. */
export function leastBytesMoved({ unitSize, wanted }: Pick<FixedInput, "unitSize" | "wanted">): number {
  return leastUnitsMoved(wanted, unitSize, goalsOf(wanted, unitSize)) * unitSize;
}

function leastUnitsMoved(wanted: Moves, unitSize: number, goal: PlaceNotes): number {
  const seen = new PlaceNotes();
  let count = 0;
  for (let run = 0; run < wanted.count; run++) {
    const first = (wanted.fromHostOffset[run] as number) / unitSize;
    for (let start = first; start < first + (wanted.length[run] as number) / unitSize; start++) {
      count++;
      let at = start;
      while (seen.get(at) === 0 && goal.get(at) !== 0) {
        seen.set(at, 1);
        at = goal.get(at) - 1;
        if (at === start) count++;
      }
    }
  }
  return count;
}

/** One more than the place to which the unit at each place is to go. */
function goalsOf({ count, fromHostOffset, toHostOffset, length }: Moves, unitSize: number): PlaceNotes {
  const goal = new PlaceNotes();
  for (let run = 0; run < count; run++) {
    for (let at = 0; at < (length[run] as number); at += unitSize) {
      goal.set(((fromHostOffset[run] as number) + at) / unitSize, ((toHostOffset[run] as number) + at) / unitSize + 1);
    }
  }
  return goal;
}

interface Rules {
  checkEpoch?(moves: Moves, bytes: number): void;
  /** The unit that lay at `origin` before all moves goes on. */
  checkUnit(origin: number, from: number, to: number): void;
  finish(paper: Paper): void;
}

const FREE = 0xffffffff;

/** What lies where after the epochs so far. */
class Paper {
  readonly #input: FixedInput | CompactInput;
  readonly #schedule: Schedule;
  /** One more than where each place's unit lay before all moves; 0 where nothing has changed. */
  readonly #holder = new PlaceNotes();
  epochBytes = 0;
  #epochs = 0;
  bytes = 0;
  /** In units, as all here. */
  #peak: number;
  readonly #end: number;
  #past = 0;

  constructor(input: FixedInput | CompactInput, schedule: Schedule) {
    const { used, unitSize } = input;
    this.#input = input;
    this.#schedule = schedule;
    this.#peak = used.markedEnd;
    this.#end = schedule.end / unitSize;
    for (let at = used.nextMarked(this.#end, this.#peak); at < this.#peak; at = used.nextMarked(at, this.#peak)) {
      const stop = used.nextFree(at, this.#peak);
      this.#past += stop - at;
      at = stop;
    }
  }

  /** Where the unit lay at first that lies here now; undefined where the place is free. */
  holder(place: number): number | undefined {
    const note = this.#holder.get(place);
    if (note === 0) return this.#input.used.has(place) ? place : undefined;
    return note === FREE ? undefined : note - 1;
  }

  /** All by what was live at the barrier before the epoch. */
  checkEpoch({ count, fromHostOffset, toHostOffset, length }: Moves): void {
    const { unitSize } = this.#input;
    let lastTo = 0;
    this.epochBytes = 0;
    this.#epochs++;
    for (let run = 0; run < count; run++) {
      const from = fromHostOffset[run] as number;
      const to = toHostOffset[run] as number;
      const bytes = length[run] as number;
      const isWhole = from % unitSize === 0 && to % unitSize === 0 && bytes % unitSize === 0;
      if (!(isWhole && from >= 0 && to >= 0 && bytes > 0)) {
        throw failed("a move is not made of whole units", from);
      }
      if (to < lastTo) throw failed("two moves go to one place, or not in order", to);
      lastTo = to + bytes;
      for (let at = 0; at < bytes; at += unitSize) {
        if (this.holder((from + at) / unitSize) === undefined)
          throw failed("nothing lies there to be moved", from + at);
        if (this.holder((to + at) / unitSize) !== undefined) {
          throw failed("a place is written that was live at the last barrier", to + at);
        }
      }
      this.epochBytes += bytes;
    }
  }

  makeMoves({ count, fromHostOffset, toHostOffset, length }: Moves, rules: Rules): void {
    const { unitSize } = this.#input;
    for (let run = 0; run < count; run++) {
      const units = (length[run] as number) / unitSize;
      for (let at = 0; at < units; at++) {
        const from = (fromHostOffset[run] as number) / unitSize + at;
        const to = (toHostOffset[run] as number) / unitSize + at;
        const origin = this.holder(from);
        if (origin === undefined) throw failed("a unit is moved to two places", from * unitSize);
        rules.checkUnit(origin, from, to);
        this.#holder.set(from, FREE);
        this.#holder.set(to, origin + 1);
        this.#peak = Math.max(this.#peak, to + 1);
        if (from >= this.#end) this.#past--;
        if (to >= this.#end) this.#past++;
      }
    }
    this.bytes += this.epochBytes;
  }

  finish(): void {
    const { bytesMoved, epochCount, peakEnd, end } = this.#schedule;
    if (this.#past !== 0) throw failed("something is left past the end", end);
    if (end > 0 && this.holder(this.#end - 1) === undefined) throw failed("the end is further down than foretold", end);
    same("bytes are moved", this.bytes, bytesMoved);
    same("epochs are made", this.#epochs, epochCount);
    same("is one past the last place used", this.#peak * this.#input.unitSize, peakEnd);
  }
}

/** Each unit to the place that is wanted, by way of one spare at most. */
class FixedRules implements Rules {
  readonly #input: FixedInput;
  readonly #schedule: Schedule;
  readonly #goal: PlaceNotes;
  readonly #spareEnd: number;
  #arrived = 0;

  constructor(input: FixedInput, schedule: Schedule) {
    this.#input = input;
    this.#schedule = schedule;
    this.#goal = goalsOf(input.wanted, input.unitSize);
    this.#spareEnd = input.spareStart + Math.max(input.spareBytes, input.unitSize);
  }

  checkEpoch(_moves: Moves, bytes: number): void {
    const { epochBytes, unitSize } = this.#input;
    if (bytes > Math.max(epochBytes, unitSize)) throw failed(`an epoch copies ${bytes} bytes`, 0);
  }

  checkUnit(origin: number, from: number, to: number): void {
    const { unitSize, spareStart } = this.#input;
    const goal = this.#goal.get(origin) - 1;
    if (goal < 0) throw failed("a unit is moved that is not to go anywhere", from * unitSize);
    if (from === goal) throw failed("a unit leaves the place where it is wanted", from * unitSize);
    if (to === goal) {
      this.#arrived++;
      return;
    }
    const isSpare = to * unitSize >= spareStart && (to + 1) * unitSize <= this.#spareEnd;
    if (!isSpare || from !== origin) throw failed("a unit goes where it is not wanted", to * unitSize);
  }

  finish(paper: Paper): void {
    const { wanted, unitSize, spareBytes } = this.#input;
    let units = 0;
    for (let run = 0; run < wanted.count; run++) units += (wanted.length[run] as number) / unitSize;
    same("units lie where they are wanted", this.#arrived, units);
    same("units are copied", paper.bytes / unitSize, this.#schedule.moveCount);
    const most = leastUnitsMoved(wanted, unitSize, this.#goal) * unitSize + Math.max(spareBytes, unitSize);
    if (paper.bytes > most) throw failed(`${paper.bytes} bytes are moved, where ${most} are enough`, 0);
  }
}

/** Whole pieces, each once: those that reach past the end, and those that make room for a longer one. */
class CompactRules implements Rules {
  readonly #input: CompactInput;
  readonly #schedule: Schedule;
  /** Places below the end that a piece has left. */
  readonly #left: number[] = [];
  #moved = 0;

  constructor(input: CompactInput, schedule: Schedule) {
    this.#input = input;
    this.#schedule = schedule;
  }

  checkEpoch({ count, fromHostOffset, length }: Moves, bytes: number): void {
    const { pieces, epochBytes, unitSize } = this.#input;
    const movedBefore = this.#moved;
    for (let run = 0; run < count; run++) {
      const end = (fromHostOffset[run] as number) + (length[run] as number);
      let at = fromHostOffset[run] as number;
      for (let piece = this.#pieceAt(at); at < end; piece++) {
        const next = at + (pieces.length[piece] as number);
        if (pieces.hostOffset[piece] !== at || next > end) throw failed("a piece is not moved as a whole", at);
        if (next <= this.#schedule.end) this.#left.push(at);
        this.#moved++;
        at = next;
      }
    }
    const isOnePiece = this.#moved - movedBefore === 1;
    if (bytes > Math.max(epochBytes, unitSize) && !isOnePiece) throw failed(`an epoch copies ${bytes} bytes`, 0);
  }

  checkUnit(origin: number, from: number): void {
    if (origin !== from) throw failed("a piece is moved twice", from * this.#input.unitSize);
  }

  finish(paper: Paper): void {
    const { pieces, unitSize } = this.#input;
    for (const place of this.#left) {
      const holder = paper.holder(place / unitSize);
      const isLong = holder !== undefined && (pieces.length[this.#pieceAt(holder * unitSize)] as number) > unitSize;
      if (!isLong) throw failed("a piece is moved that reaches not past the end, and makes no room", place);
    }
    same("pieces are copied", this.#moved, this.#schedule.moveCount);
  }

  /** The last that begins at or before this byte, or -1. */
  #pieceAt(hostOffset: number): number {
    const { pieces } = this.#input;
    let low = 0;
    let high = pieces.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((pieces.hostOffset[middle] as number) <= hostOffset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function same(what: string, found: number, foretold: number): void {
  if (found !== foretold) throw failed(`${found} ${what}, and ${foretold} was foretold`, 0);
}

function failed(what: string, hostOffset: number): ImageError {
  return new ImageError("verification-failed", `Cannot prove the schedule at host offset ${hex(hostOffset)}`, {
    because: what,
    state: "nothing was moved, please report this",
    structure: "schedule",
    hostOffset,
  });
}
