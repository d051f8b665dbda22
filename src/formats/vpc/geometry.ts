/** Cylinders, heads and sectors: the size that a VHD tells a second time ("Virtual Hard Disk Image Format Specification", Appendix "CHS Calculation"). */

import { SECTOR_SIZE } from "../../bytes/align.ts";

export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** The most that an ATA disk could be addressed by: 127 GiB, and what a larger disk's footer says. */
export const LARGEST_GEOMETRY: Geometry = { cylinders: 65_535, heads: 16, sectorsPerTrack: 255 };

/** Bytes. */
export function sizeOf({ cylinders, heads, sectorsPerTrack }: Geometry): number {
  return cylinders * heads * sectorsPerTrack * SECTOR_SIZE;
}

/** Whether it says no more than that the disk is large. */
export function isLargest(geometry: Geometry): boolean {
  return sizeOf(geometry) === sizeOf(LARGEST_GEOMETRY);
}

/** The specification's geometry of a disk: it ends at the disk's end or, mostly, a little before. */
export function geometryFor(virtualSize: number): Geometry {
  const sectors = Math.min(virtualSize, sizeOf(LARGEST_GEOMETRY)) / SECTOR_SIZE;
  const tracksOf = (sectorsPerTrack: number) => Math.floor(sectors / sectorsPerTrack);
  const of = (heads: number, sectorsPerTrack: number): Geometry => ({
    cylinders: Math.floor(tracksOf(sectorsPerTrack) / heads),
    heads,
    sectorsPerTrack,
  });
  if (sectors >= 65_535 * 16 * 63) return of(16, 255);
  const heads = Math.max(4, Math.ceil(tracksOf(17) / 1024));
  if (heads <= 16 && tracksOf(17) < heads * 1024) return of(heads, 17);
  return tracksOf(31) < 16 * 1024 ? of(16, 31) : of(16, 63);
}
