/** Every field of a dynamic VHD: both footers, the header, the block allocation table, the bitmaps. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../../field-map.ts";
import { FOOTER_FIELDS } from "../field-sites.ts";

const HEADER: readonly [what: string, at: number, size: 1 | 2 | 4 | 8][] = [
  ["header's cookie", 0, 8],
  ["next header", 8, 8],
  ["table offset", 16, 8],
  ["header's version", 24, 4],
  ["entries", 28, 4],
  ["block size", 32, 4],
  ["header's checksum", 36, 4],
  ["parent", 40, 8],
];

export function dynamicFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const start of [0, image.length - 512]) {
    for (const [what, at, size] of FOOTER_FIELDS) list.add(what, start + at, size);
  }
  const header = Number(image.readBigUInt64BE(16));
  for (const [what, at, size] of HEADER) list.add(what, header + at, size);
  const table = Number(image.readBigUInt64BE(header + 16));
  const entryCount = image.readUInt32BE(header + 28);
  for (let index = 0, unused = 0; index < entryCount; index++) {
    const entry = image.readUInt32BE(table + index * 4);
    if (entry === 0xffff_ffff && ++unused > UNUSED_ENTRIES) continue;
    list.add("entry", table + index * 4, 4);
    if (entry !== 0xffff_ffff) list.add("bitmap", entry * 512, 1);
  }
  return { isLittleEndian: false, entryFlags: 0n, clusterSize: 512, sites: list.sites };
}
