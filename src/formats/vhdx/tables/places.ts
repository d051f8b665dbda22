/** What the log, the regions and the blocks of a VHDX take of its file, to see what lies on what. */

import { Bitmap, MAX_BITS } from "../../../bytes/bitmap.ts";
import { PLACE_UNIT } from "../header/fields.ts";
import type { Place } from "../header/refuse.ts";

/** Ascending and apart, each with the turn in which qemu-img looks at it. */
export class Places {
  readonly #sorted: readonly (Place & { readonly turn: number })[];

  /** In the order in which qemu-img learns of them: the log, then the regions of the table. It looks at the last one first. */
  constructor(places: readonly Place[]) {
    this.#sorted = places
      .map((place, at) => ({ ...place, turn: places.length - at }))
      .filter(({ start, end }) => end > start)
      .sort((a, b) => a.start - b.start);
  }

  /** The first one in qemu-img's order that shares a byte with [start, end). */
  sharing(start: number, end: number): Place | undefined {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as Place).end > start) high = middle;
      else low = middle + 1;
    }
    let found: (Place & { readonly turn: number }) | undefined;
    for (let at = low; at < this.#sorted.length; at++) {
      const place = this.#sorted[at] as Place & { readonly turn: number };
      if (place.start >= end) break;
      if (found === undefined || place.turn < found.turn) found = place;
    }
    return found;
  }
}

/** Which whole MiB of the file blocks take. */
export class BlockPlaces {
  readonly #bits: Bitmap;
  readonly #unitCount: number;

  constructor(fileSize: number) {
    // A file beyond 4 PiB has more than any table can point at.
    this.#unitCount = Math.min(Math.ceil(fileSize / PLACE_UNIT), MAX_BITS);
    this.#bits = new Bitmap(this.#unitCount);
  }

  /** Takes what of [start, end) lies in the file; true where a part of it was taken before. */
  take(start: number, end: number): boolean {
    const first = Math.min(start / PLACE_UNIT, this.#unitCount);
    const last = Math.min(Math.ceil(end / PLACE_UNIT), this.#unitCount);
    return last > first && this.#bits.mark(first, last - first) > 0;
  }
}
