/** Places as numbers of units instead of bytes, and what a bitmap of them says. */

import { type Bitmap, MAX_BITS } from "../../bytes/bitmap.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";

/** The unit at this byte; refuses what lies between two, and what no bitmap reaches. */
export function placeAt(hostOffset: number, unitSize: number): number {
  const place = hostOffset / unitSize;
  if (place >= MAX_BITS) {
    throw new ImageError("unsupported", `Cannot rearrange a file of more than ${MAX_BITS} units of ${unitSize}`, {
      because: "no more can be told apart",
      structure: "schedule",
      hostOffset,
    });
  }
  if (!(place >= 0 && Number.isInteger(place))) throw impossible("it is not the place of a unit", hostOffset);
  return place;
}

/** One past the last marked place that lies in none of the ranges, which are ascending and apart. */
export function markedEndOutside(
  used: Bitmap,
  count: number,
  first: (at: number) => number,
  end: (at: number) => number,
): number {
  let below = used.markedEnd;
  for (let at = count - 1; at >= 0 && below > 0; at--) {
    const marked = markedEndWithin(used, end(at), below);
    if (marked > end(at)) return marked;
    below = Math.min(below, first(at));
  }
  return markedEndWithin(used, 0, below);
}

/** One past the last place of [from, end) that is marked, or `from`. */
function markedEndWithin(used: Bitmap, from: number, end: number): number {
  let last = from;
  for (let at = used.nextMarked(from, end); at < end; at = used.nextMarked(last, end)) last = used.nextFree(at, end);
  return last;
}

/** Whoever asked for this has mistaken what the file holds. */
export function impossible(why: string, hostOffset: number): ImageError {
  return new ImageError("verification-failed", `Cannot schedule what lies at host offset ${hex(hostOffset)}`, {
    because: why,
    state: "nothing was moved, please report this",
    structure: "schedule",
    hostOffset,
  });
}
