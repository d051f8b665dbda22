/** Files as rows of units, and moves between their places, for what schedules and proves rearrangements. */

import { Bitmap } from "../../src/bytes/bitmap.ts";
import type { Moves, Pieces } from "../../src/image/rearranger.ts";
import { seededRandom } from "./random.ts";

export const UNIT = 65536;

/** From, to, and how many units. */
export type Way = readonly [from: number, to: number, length?: number];

export function movesOf(ways: readonly Way[]): Moves {
  return {
    count: ways.length,
    fromHostOffset: Float64Array.from(ways, ([from]) => from * UNIT),
    toHostOffset: Float64Array.from(ways, ([, to]) => to * UNIT),
    length: Float64Array.from(ways, ([, , length = 1]) => length * UNIT),
  };
}

export function waysOf({ count, fromHostOffset, toHostOffset, length }: Moves): Way[] {
  return Array.from({ length: count }, (_, at) => [
    (fromHostOffset[at] as number) / UNIT,
    (toHostOffset[at] as number) / UNIT,
    (length[at] as number) / UNIT,
  ]);
}

/**
 * A file as a row: `.` a free place, `#` what stays, `o` a piece of one unit, and a piece of several as one capital for
 * its first unit and `-` for each of the others.
 */
export function rowOf(row: string): { used: Bitmap; pieces: Pieces } {
  const used = new Bitmap(row.length);
  const starts: number[] = [];
  const lengths: number[] = [];
  for (const [at, unit] of [...row].entries()) {
    if (unit !== ".") used.mark(at, 1);
    if (unit === "-") lengths[lengths.length - 1] = (lengths.at(-1) as number) + 1;
    else if (unit !== "." && unit !== "#") {
      starts.push(at);
      lengths.push(1);
    }
  }
  return {
    used,
    pieces: {
      count: starts.length,
      hostOffset: Float64Array.from(starts, (start) => start * UNIT),
      length: Float64Array.from(lengths, (length) => length * UNIT),
    },
  };
}

/** All places that ways lead from, and these. */
export function usedBy(ways: readonly Way[], ...others: readonly number[]): Bitmap {
  const end = Math.max(0, ...others.map((each) => each + 1), ...ways.map(([from, , length = 1]) => from + length));
  const used = new Bitmap(end);
  for (const [from, , length = 1] of ways) used.mark(from, length);
  for (const place of others) used.mark(place, 1);
  return used;
}

/** A seeded permutation of so many units, those that stay left out. */
export function permutation(count: number, seed: number): Way[] {
  const to = seededRandom(seed).shuffle(Array.from({ length: count }, (_, at) => at));
  return to.flatMap((place, at): Way[] => (place === at ? [] : [[at, place]]));
}
