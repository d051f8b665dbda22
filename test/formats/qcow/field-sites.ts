/** Every field and table entry of a valid qcow (version 1). */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 2 | 4 | 8][] = [
  ["magic", 0, 4],
  ["version", 4, 4],
  ["backing_file_offset", 8, 8],
  ["backing_file_size", 16, 4],
  ["mtime", 20, 4],
  ["size", 24, 8],
  ["cluster_bits", 32, 1],
  ["l2_bits", 33, 1],
  ["padding", 34, 2],
  ["crypt_method", 36, 4],
  ["l1_table_offset", 40, 8],
];

export function qcowFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, hostOffset, size] of HEADER) list.add(what, hostOffset, size);
  const clusterSize = 2 ** image.readUInt8(32);
  const perTable = 2 ** image.readUInt8(33);
  const l1 = Number(image.readBigUInt64BE(40));
  const l1Entries = Math.ceil(Number(image.readBigUInt64BE(24)) / (clusterSize * perTable));
  let unused = 0;
  for (let index = 0; index < l1Entries; index++) {
    const table = Number(image.readBigUInt64BE(l1 + index * 8));
    if (table === 0 && ++unused > UNUSED_ENTRIES) continue;
    list.add("L1 entry", l1 + index * 8, 8);
    if (table === 0) continue;
    for (let at = 0, unusedHere = 0; at < perTable; at++) {
      const isUsed = image.readBigUInt64BE(table + at * 8) !== 0n;
      if (isUsed || ++unusedHere <= UNUSED_ENTRIES) list.add("L2 entry", table + at * 8, 8);
    }
  }
  return { isLittleEndian: false, entryFlags: 1n << 63n, clusterSize, sites: list.sites };
}
