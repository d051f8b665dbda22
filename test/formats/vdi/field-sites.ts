/** Every field and map entry of a valid VDI image. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 4 | 8][] = [
  ["mark", 64, 4],
  ["version", 68, 4],
  ["header size", 72, 4],
  ["image type", 76, 4],
  ["flags", 80, 4],
  ["comment", 84, 4],
  ["map offset", 340, 4],
  ["data offset", 344, 4],
  ["sector size", 360, 4],
  ["disk size", 368, 8],
  ["block size", 376, 4],
  ["block extra", 380, 4],
  ["block count", 384, 4],
  ["allocated count", 388, 4],
  ["link id", 424, 4],
  ["parent id", 440, 4],
];

export function vdiFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, hostOffset, size] of HEADER) list.add(what, hostOffset, size);
  const [map, count] = [image.readUInt32LE(340), image.readUInt32LE(384)];
  let unused = 0;
  for (let index = 0; index < count; index++) {
    const isUsed = image.readInt32LE(map + index * 4) >= 0;
    if (isUsed || ++unused <= UNUSED_ENTRIES) list.add("map entry", map + index * 4, 4);
  }
  return { isLittleEndian: true, entryFlags: 0n, clusterSize: 1024 * 1024, sites: list.sites };
}
