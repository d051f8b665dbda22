/**
 * As short as it can be: what reaches past the end to come goes into free places below it, each piece once, the highest
 * first, so that the file can be cut after each epoch.
 *
 *   |h|a| |b|c| | |d|  e  | |f|      used 8, so the end is 8 at best
 *   |h|a|f|b|c|  e  |d|              e was of two units, and f went where it fits
 */

import { Bitmap } from "../../bytes/bitmap.ts";
import type { Moves } from "../../image/rearranger.ts";
import { bestWindow } from "./making-room.ts";
import { MovedRuns } from "./moved-runs.ts";
import { PlaceRuns, pack, shelve } from "./packing.ts";
import type { CompactInput, Schedule } from "./schedule.ts";
import { Shelf } from "./shelf.ts";
import { Tail } from "./tail.ts";
import { WayList } from "./way-list.ts";

/** Room is made for no more pieces than this at a time: each looks at every place. */
const MOST_WINDOWS = 16;

/** Who goes where, in three stages with a barrier between: what leaves a place is gone before another is put there. */
interface Stages {
  /** Singles that make room, and pieces of several units that have it. */
  readonly first: WayList;
  readonly intoRoom: WayList;
  readonly singles: WayList;
  /** Pieces of several units, by the place where they lie: their runs are never cut. */
  readonly whole: Bitmap;
  /** True where a single goes to a place that a piece of an earlier stage leaves. */
  readonly singlesWait: boolean;
}

/** Throws ImageError `verification-failed` where pieces are not what is used. */
export function scheduleCompact(input: CompactInput): Schedule {
  const { unitSize, used, pieces } = input;
  const tail = new Tail(pieces, unitSize, used);
  const oldEnd = used.markedEnd;
  const leastEnd = Math.max(used.markedCount, tail.fixedEnd(used));
  const { end, stages } = shortest(input, tail, leastEnd);
  const mostUnits = Math.max(1, Math.floor(input.epochBytes / unitSize));
  const { first, intoRoom, singles } = stages;
  const unitCount = first.placeCount + intoRoom.placeCount + singles.placeCount;
  const firstMoved = tail.firstPast(end);
  let inLongPieces = 0;
  for (let at = firstMoved; at < tail.count; at++) inLongPieces += tail.length(at) - 1;
  const newEnd = Math.max(
    first.toEnd,
    intoRoom.toEnd,
    singles.toEnd,
    tail.fixedEnd(used),
    firstMoved === 0 ? 0 : tail.end(firstMoved - 1),
  );
  const epochs = (): Generator<Moves> => epochsOf(stages, mostUnits, unitSize);
  let epochCount = 0;
  for (const _ of epochs()) epochCount++;
  return {
    moveCount: unitCount - inLongPieces,
    bytesMoved: unitCount * unitSize,
    epochCount,
    epochs,
    peakEnd: oldEnd * unitSize,
    end: newEnd * unitSize,
  };
}

/**
 * What stays can be so strewn that no places below the end take a long piece in: a little further down some may. At the
 * old end nothing has to move.
 */
function shortest(input: CompactInput, tail: Tail, leastEnd: number): { end: number; stages: Stages } {
  const attempt = (more: number) => {
    const end = Math.min(input.used.markedEnd, leastEnd + more);
    const stages = placed(input, tail, end);
    return stages && { end, stages };
  };
  let low = 0;
  let high = 0;
  let found = attempt(high);
  while (found === undefined) {
    low = high;
    high = Math.max(1, high * 2);
    found = attempt(high);
  }
  while (high - low > 1 + low / 16) {
    const middle = Math.floor((low + high) / 2);
    const nearer = attempt(middle);
    if (nearer) {
      found = nearer;
      high = middle;
    } else low = middle;
  }
  return found;
}

/** Undefined where not all that reaches past `end` finds a place below it. */
function placed({ used, unitSize, barred }: CompactInput, tail: Tail, end: number): Stages | undefined {
  const firstMoved = tail.firstPast(end);
  const long: number[] = [];
  const runs = new PlaceRuns();
  const whole = new Bitmap(used.markedEnd);
  for (let at = firstMoved; at < tail.count; at++) {
    if (tail.length(at) === 1) runs.add(tail.first(at), 1);
    else {
      long.push(at);
      whole.mark(tail.first(at), 1);
    }
  }
  const first = new WayList();
  const intoRoom = new WayList();
  const singles = new WayList();
  const taken = new Bitmap(end);
  for (const { start, end: barredEnd } of barred?.within(0, end * unitSize) ?? []) {
    taken.mark(start / unitSize, (barredEnd - start) / unitSize);
  }
  const leaving = new PlaceRuns();
  const vacated = new PlaceRuns();
  if (long.length > 0) {
    long.sort((a, b) => tail.length(b) - tail.length(a));
    const homeless = placeLong(long, { used, tail, end, taken, first });
    if (!makeRoom(homeless, { used, tail, end, taken, intoRoom, leaving, firstMoved })) return undefined;
    for (const at of long) if (tail.first(at) < end) vacated.add(tail.first(at), end - tail.first(at));
  }
  const holes = new Shelf(Math.max(runs.longest, leaving.longest));
  shelve(holes, used, taken, end);
  if (!pack(leaving, holes, first)) return undefined;
  for (const [at, start] of vacated.start.entries()) holes.put(start, vacated.length[at] as number);
  if (!pack(runs, holes, singles)) return undefined;
  return { first, intoRoom, singles, whole, singlesWait: vacated.placeCount > 0 };
}

interface LongPlacing {
  readonly used: Bitmap;
  readonly tail: Tail;
  readonly end: number;
  readonly taken: Bitmap;
}

/** The longest first, into the shortest free run that holds it; gives back those that none holds. */
function placeLong(
  long: readonly number[],
  { used, tail, end, taken, first }: LongPlacing & { readonly first: WayList },
): number[] {
  const holes = new Shelf(tail.length(long[0] as number));
  shelve(holes, used, taken, end);
  const homeless: number[] = [];
  for (const at of long) {
    const start = holes.takeHolding(tail.length(at));
    if (start === undefined) homeless.push(at);
    else {
      first.add(tail.first(at), start, tail.length(at));
      taken.mark(start, tail.length(at));
    }
  }
  return homeless;
}

interface RoomMaking extends LongPlacing {
  readonly intoRoom: WayList;
  /** Singles that have to go. */
  readonly leaving: PlaceRuns;
  readonly firstMoved: number;
}

/** False where there is no room to be made for one. */
function makeRoom(homeless: readonly number[], making: RoomMaking): boolean {
  const { used, tail, end, taken, intoRoom, leaving, firstMoved } = making;
  if (homeless.length > MOST_WINDOWS) return false;
  if (homeless.length === 0) return true;
  const single = new Bitmap(end);
  for (let at = 0; at < firstMoved; at++) if (tail.length(at) === 1) single.mark(tail.first(at), 1);
  for (const at of homeless) {
    const length = tail.length(at);
    const start = bestWindow({ used, single, taken, end }, length);
    if (start === undefined) return false;
    for (let place = start; place < start + length; place++) if (used.has(place)) leaving.add(place, 1);
    taken.mark(start, length);
    intoRoom.add(tail.first(at), start, length);
  }
  return true;
}

/** Each stage from its highest run down; cut where an epoch is full. A piece that is longer than one goes alone. */
function* epochsOf(stages: Stages, mostUnits: number, unitSize: number): Generator<Moves> {
  const { first, intoRoom, singles, whole, singlesWait } = stages;
  const moves = new MovedRuns(unitSize);
  let room = mostUnits;
  for (const ways of [first, intoRoom, singles]) {
    const hasToWait = ways === intoRoom || (ways === singles && singlesWait);
    if (room < mostUnits && hasToWait && ways.count > 0) {
      yield moves.take();
      room = mostUnits;
    }
    for (const at of ways.ascendingBy("from").reverse()) {
      const { from, to, length } = ways.at(at);
      const isWhole = whole.has(from);
      for (let left = length; left > 0; ) {
        if (room <= 0 || (isWhole && left > room && room < mostUnits)) {
          yield moves.take();
          room = mostUnits;
        }
        const now = isWhole ? left : Math.min(left, room);
        left -= now;
        moves.add(from + left, to + left, now);
        room -= now;
      }
    }
  }
  if (room < mostUnits) yield moves.take();
}
