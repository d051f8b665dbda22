/** Where a target's header keeps the backing file's name: every format that stores one looks for a place in this order. */

import { alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import type { BackingFile } from "./source.ts";

export interface NamePlaces {
  /** First byte behind the target's own fields. */
  readonly start: number;
  /** One past the last byte where a name may lie: the end of the header cluster. */
  readonly limit: number;
  /** Of a place beyond the commit's sector, in bytes. */
  readonly alignment: number;
  /** The source's first bytes. */
  readonly oldHeader: Uint8Array;
  /** What the source uses of them before the commit. */
  readonly usedHeader: RangeSet;
}

export interface NamePlace {
  readonly hostOffset: number;
  /** Whether the name needs no write beside the commit's sector. */
  readonly isStored: boolean;
}

/**
 * In the sector itself where it fits; else where the source's own name lies already; else in bytes that the source does
 * not use. Undefined where there is no room.
 */
export function placeBackingName({ nameBytes, hostOffset }: BackingFile, places: NamePlaces): NamePlace | undefined {
  const { start, limit, alignment, oldHeader, usedHeader } = places;
  if (start + nameBytes.length <= SECTOR_SIZE) return { hostOffset: start, isStored: true };
  // A name that begins in sector 0 behind our own fields is written there again as it is; its rest is not touched.
  const isWithin = hostOffset >= start && hostOffset + nameBytes.length <= limit;
  if (isWithin && nameBytes.every((byte, at) => byte === oldHeader[hostOffset + at])) {
    return { hostOffset, isStored: true };
  }
  let free = SECTOR_SIZE;
  for (const range of usedHeader.each()) {
    if (range.start - free >= nameBytes.length) break;
    free = Math.max(free, alignUp(range.end, alignment));
  }
  return free + nameBytes.length <= limit ? { hostOffset: free, isStored: false } : undefined;
}

/** Puts as much of the name into the commit's sector as lies in it. */
export function putNameInSector(sector: Uint8Array, { nameBytes }: BackingFile, hostOffset: number): void {
  if (hostOffset < sector.length) sector.set(nameBytes.subarray(0, sector.length - hostOffset), hostOffset);
}
