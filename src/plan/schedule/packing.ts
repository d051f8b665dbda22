/**
 * Runs put into free places: the longest first, each into the shortest that holds it whole. Where none does it is cut, and
 * fills the longest; so a run is cut only when all that is left would cut it. What lay in one run was most often written
 * in one, and is read so again.
 */

import type { Bitmap } from "../../bytes/bitmap.ts";
import { ascending } from "./ascending.ts";
import type { Shelf } from "./shelf.ts";
import type { WayList } from "./way-list.ts";

/** Runs of places, in columns. */
export class PlaceRuns {
  readonly start: number[] = [];
  readonly length: number[] = [];
  longest = 0;
  placeCount = 0;

  /** One that begins where the last ends becomes part of it. */
  add(start: number, length: number): void {
    const last = this.start.length - 1;
    const touches = last >= 0 && (this.start[last] as number) + (this.length[last] as number) === start;
    const whole = touches ? (this.length[last] as number) + length : length;
    if (touches) this.length[last] = whole;
    else {
      this.start.push(start);
      this.length.push(length);
    }
    this.longest = Math.max(this.longest, whole);
    this.placeCount += length;
  }
}

/** False, with nothing to be relied on, where there is not enough room. */
export function pack(runs: PlaceRuns, holes: Shelf, ways: WayList): boolean {
  // Cut runs come back with what is left of them: below all that are longer.
  const remains: number[][] = [];
  const lengths = Uint32Array.from(runs.length);
  const longestFirst = ascending(lengths).reverse();
  let next = 0;
  for (let length = runs.longest; length > 0; length--) {
    const cut = remains[length];
    while (next < longestFirst.length && lengths[longestFirst[next] as number] === length) {
      if (!put(runs.start[longestFirst[next++] as number] as number, length, holes, ways, remains)) return false;
    }
    for (const start of cut ?? []) {
      if (!put(start, length, holes, ways, remains)) return false;
    }
  }
  return true;
}

function put(start: number, length: number, holes: Shelf, ways: WayList, remains: number[][]): boolean {
  const whole = holes.takeHolding(length);
  if (whole !== undefined) {
    ways.add(start, whole, length);
    return true;
  }
  const hole = holes.takeLongest();
  if (hole === undefined) return false;
  ways.add(start, hole.start, hole.length);
  const rest = length - hole.length;
  const others = remains[rest];
  if (others) others.push(start + hole.length);
  else remains[rest] = [start + hole.length];
  return true;
}

/** The free places below `end`, the lowest to be taken first among those of one length. */
export function shelve(holes: Shelf, used: Bitmap, taken: Bitmap, end: number): void {
  const free = new PlaceRuns();
  for (let at = used.nextFree(0, end); at < end; at = used.nextFree(at, end)) {
    const stop = used.nextMarked(at, end);
    while (at < stop) {
      const start = taken.nextFree(at, stop);
      at = taken.nextMarked(start, stop);
      if (at > start) free.add(start, at - start);
    }
  }
  for (let hole = free.start.length - 1; hole >= 0; hole--) {
    holes.put(free.start[hole] as number, free.length[hole] as number);
  }
}
