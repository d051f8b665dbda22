/** Every field and table entry of a valid QED image. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 4 | 8][] = [
  ["magic", 0, 4],
  ["cluster_size", 4, 4],
  ["table_size", 8, 4],
  ["header_size", 12, 4],
  ["features", 16, 8],
  ["compat_features", 24, 8],
  ["autoclear_features", 32, 8],
  ["l1_table_offset", 40, 8],
  ["image_size", 48, 8],
  ["backing_filename_offset", 56, 4],
  ["backing_filename_size", 60, 4],
];

export function qedFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, hostOffset, size] of HEADER) list.add(what, hostOffset, size);
  const clusterSize = image.readUInt32LE(4);
  const entryCount = (clusterSize * image.readUInt32LE(8)) / 8;
  const l1 = Number(image.readBigUInt64LE(40));
  let unused = 0;
  for (let index = 0; index < entryCount; index++) {
    const table = Number(image.readBigUInt64LE(l1 + index * 8));
    if (table === 0 && ++unused > UNUSED_ENTRIES) continue;
    list.add("L1 entry", l1 + index * 8, 8);
    if (table === 0) continue;
    for (let at = 0, unusedHere = 0; at < entryCount; at++) {
      const isUsed = image.readBigUInt64LE(table + at * 8) !== 0n;
      if (isUsed || ++unusedHere <= UNUSED_ENTRIES) list.add("L2 entry", table + at * 8, 8);
    }
  }
  return { isLittleEndian: true, entryFlags: 0n, clusterSize, sites: list.sites };
}
