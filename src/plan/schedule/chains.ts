/**
 * Wanted moves as the chains and cycles that they form: who has to leave before whom.
 *
 *   chain   free <- a <- b <- c          the place of c is free at last
 *   cycle   a <- b <- c <- a             nobody can begin without a spare
 */

import type { Bitmap } from "../../bytes/bitmap.ts";
import type { Moves } from "../../image/rearranger.ts";
import { ascending } from "./ascending.ts";
import { impossible, placeAt } from "./places.ts";

export interface Chains {
  /** One behind another: the unit at each place goes to the place before it, in a cycle that at the first to the last. */
  readonly places: Uint32Array;
  /** Where in `places` each begins, and where the last ends: first all chains, then all cycles. */
  readonly starts: Uint32Array;
  readonly chainCount: number;
  readonly unitCount: number;
  /** One past the highest place that a unit is to go to. */
  readonly toEnd: number;
}

const NONE = 0xffffffff;
const HEAD = 1;
const WALKED = 2;

/** Throws ImageError `verification-failed` where a place is wanted twice, or by one while another stays in it. */
export function chainsOf(wanted: Moves, unitSize: number, used: Bitmap): Chains {
  const { from, to } = unitsOf(wanted, unitSize, used);
  const unitCount = to.length;
  const state = new Uint8Array(unitCount);
  const { next, chainCount } = linked(from, to, state, unitSize, used);
  const places = new Uint32Array(unitCount + chainCount);
  const starts = new Uint32Array(chainCount + Math.floor((unitCount - chainCount) / 2) + 1);
  let filled = 0;
  let count = 0;
  const walk = (first: number): void => {
    for (let at = first; at !== NONE && state[at] !== WALKED; at = next[at] as number) {
      state[at] = WALKED;
      places[filled++] = from[at] as number;
    }
  };
  for (let at = 0; at < unitCount; at++) {
    if (state[at] !== HEAD) continue;
    starts[count++] = filled;
    places[filled++] = to[at] as number;
    walk(at);
  }
  for (let at = 0; at < unitCount; at++) {
    if (state[at] === WALKED) continue;
    starts[count++] = filled;
    walk(at);
  }
  starts[count] = filled;
  const toEnd = unitCount === 0 ? 0 : (to[unitCount - 1] as number) + 1;
  return { places, starts: starts.subarray(0, count + 1), chainCount, unitCount, toEnd };
}

/** Unit by unit, ascending by `to`. */
function unitsOf(wanted: Moves, unitSize: number, used: Bitmap): { from: Uint32Array; to: Uint32Array } {
  let unitCount = 0;
  for (let run = 0; run < wanted.count; run++) unitCount += (wanted.length[run] as number) / unitSize;
  if (!Number.isInteger(unitCount) || unitCount > used.markedCount) {
    throw impossible("more is to move than lies in the file, or parts of units", 0);
  }
  const from = new Uint32Array(unitCount);
  const to = new Uint32Array(unitCount);
  let filled = 0;
  for (let run = 0; run < wanted.count; run++) {
    const first = placeAt(wanted.fromHostOffset[run] as number, unitSize);
    const toFirst = placeAt(wanted.toHostOffset[run] as number, unitSize);
    const length = (wanted.length[run] as number) / unitSize;
    placeAt((Math.max(first, toFirst) + length - 1) * unitSize, unitSize);
    if (first === toFirst) throw impossible("it lies where it is wanted", first * unitSize);
    for (let at = 0; at < length; at++) {
      from[filled] = first + at;
      to[filled++] = toFirst + at;
    }
  }
  const order = ascending(to);
  return { from: order.map((at) => from[at] as number), to: order.map((at) => to[at] as number) };
}

/** To each unit the one that takes its place, or NONE; those that go to a free place are marked as heads. */
function linked(
  from: Uint32Array,
  to: Uint32Array,
  state: Uint8Array,
  unitSize: number,
  used: Bitmap,
): { next: Uint32Array; chainCount: number } {
  const next = new Uint32Array(from.length).fill(NONE);
  let chainCount = 0;
  let taker = 0;
  const head = (): void => {
    const place = to[taker] as number;
    if (used.has(place)) throw impossible("something that stays lies where another is to go", place * unitSize);
    state[taker++] = HEAD;
    chainCount++;
  };
  let before = -1;
  for (const at of ascending(from)) {
    const place = from[at] as number;
    if (place === before || !used.has(place))
      throw impossible("nothing lies there, or it is to go twice", place * unitSize);
    before = place;
    while (taker < to.length && (to[taker] as number) < place) head();
    if (to[taker] === place) next[at] = taker++;
  }
  while (taker < to.length) head();
  for (let at = 1; at < to.length; at++) {
    if (to[at] === to[at - 1]) throw impossible("two are to go there", (to[at] as number) * unitSize);
  }
  return { next, chainCount };
}
