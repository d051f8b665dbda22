/** Every field and BAT entry of a valid Parallels image. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 4 | 8][] = [
  ["magic", 0, 8],
  ["magic", 8, 8],
  ["version", 16, 4],
  ["heads", 20, 4],
  ["cylinders", 24, 4],
  ["tracks", 28, 4],
  ["bat count", 32, 4],
  ["sector count", 36, 8],
  ["in use", 44, 4],
  ["data offset", 48, 4],
  ["flags", 52, 4],
  ["extension offset", 56, 8],
];

export function parallelsFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, hostOffset, size] of HEADER) list.add(what, hostOffset, size);
  let unused = 0;
  for (let index = 0; index < image.readUInt32LE(32); index++) {
    const isUsed = image.readUInt32LE(64 + index * 4) !== 0;
    if (isUsed || ++unused <= UNUSED_ENTRIES) list.add("BAT entry", 64 + index * 4, 4);
  }
  const extension = Number(image.readBigUInt64LE(56)) * 512;
  if (extension > 0) {
    list.add("extension magic", extension, 8);
    list.add("extension checksum", extension + 8, 8);
    list.add("extension feature", extension + 24, 8);
  }
  const clusterSize = image.readUInt32LE(28) * 512;
  return { isLittleEndian: true, entryFlags: 0n, clusterSize, sites: list.sites };
}
