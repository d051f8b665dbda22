/** Room for a piece of several units where no free run holds it: the places that the fewest others have to leave. */

import type { Bitmap } from "../../bytes/bitmap.ts";

export interface Ground {
  readonly used: Bitmap;
  /** Pieces of one unit, which may be asked to leave. */
  readonly single: Bitmap;
  /** Given to others. */
  readonly taken: Bitmap;
  readonly end: number;
}

/** The first of `length` places below the end of which the most are free, and no other is used by what may not leave. */
export function bestWindow({ used, single, taken, end }: Ground, length: number): number | undefined {
  let best: number | undefined;
  let fewest = length + 1;
  let leaving = 0;
  let start = 0;
  for (let at = 0; at < end; at++) {
    const isUsed = used.has(at);
    if (taken.has(at) || (isUsed && !single.has(at))) {
      start = at + 1;
      leaving = 0;
      continue;
    }
    if (isUsed) leaving++;
    if (at + 1 - start < length) continue;
    if (leaving < fewest) {
      fewest = leaving;
      best = start;
    }
    if (used.has(start++)) leaving--;
  }
  return best;
}
