/** The part of a map that was asked for, as `qemu-img map --start-offset --max-length` cuts it. */

import type { MapEntry } from "../doors.ts";

/** What qemu-img prints of a range that holds nothing. */
const NOTHING = { length: 0, depth: 0, present: false, zero: false, data: false, compressed: false } as const;

/**
 * Entries cut at both ends of guest bytes `start` .. `start + length`, to the disk's end where that is nearer; at least one.
 * What lies in the file begins as much later there.
 */
export function entriesWithin(
  entries: readonly MapEntry[],
  start: number,
  length = Number.POSITIVE_INFINITY,
): readonly MapEntry[] {
  const end = start + length;
  const cut = entries.flatMap((entry) => {
    const from = Math.max(entry.start, start);
    const to = Math.min(entry.start + entry.length, end);
    if (from >= to) return [];
    const place = entry.offset === undefined ? {} : { offset: entry.offset + from - entry.start };
    return [{ ...entry, start: from, length: to - from, ...place }];
  });
  return cut.length > 0 ? cut : [{ start, ...NOTHING }];
}
