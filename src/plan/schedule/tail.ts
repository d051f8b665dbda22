/** Pieces in places instead of bytes, and which of them reach past an end. */

import type { Bitmap } from "../../bytes/bitmap.ts";
import type { Pieces } from "../../image/rearranger.ts";
import { impossible, markedEndOutside, placeAt } from "./places.ts";

export class Tail {
  readonly count: number;
  readonly #pieces: Pieces;
  readonly #unitSize: number;

  /** Throws ImageError `verification-failed` where pieces are not ascending, or nothing lies there. */
  constructor(pieces: Pieces, unitSize: number, used: Bitmap) {
    this.count = pieces.count;
    this.#pieces = pieces;
    this.#unitSize = unitSize;
    let end = 0;
    for (let at = 0; at < pieces.count; at++) {
      const first = placeAt(pieces.hostOffset[at] as number, unitSize);
      const next = first + (pieces.length[at] as number) / unitSize;
      if (first < end || !(next > first && Number.isInteger(next)) || used.nextFree(first, next) < next) {
        throw impossible("it is no piece: it lies before another, or on it, or where nothing is", first * unitSize);
      }
      end = next;
    }
  }

  first(at: number): number {
    return (this.#pieces.hostOffset[at] as number) / this.#unitSize;
  }

  length(at: number): number {
    return (this.#pieces.length[at] as number) / this.#unitSize;
  }

  end(at: number): number {
    return this.first(at) + this.length(at);
  }

  /** One past the last place that is used by what is no piece. */
  fixedEnd(used: Bitmap): number {
    return markedEndOutside(
      used,
      this.count,
      (at) => this.first(at),
      (at) => this.end(at),
    );
  }

  /** The first piece that reaches past `end`: so do all behind it. */
  firstPast(end: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end(middle) > end) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
