/** Every field and table entry of a valid toy. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

export function toyFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  list.add("magic", 0, 8);
  list.add("version", 8, 4);
  list.add("block size", 12, 4);
  list.add("virtual size", 16, 8);
  list.add("table offset", 24, 8);
  const clusterSize = image.readUInt32BE(12);
  const [virtualSize, table] = [16, 24].map((at) => Number(image.readBigUInt64BE(at))) as [number, number];
  let unused = 0;
  for (let block = 0; block * clusterSize < virtualSize; block++) {
    const isUsed = image.readBigUInt64BE(table + block * 8) !== 0n;
    if (isUsed || ++unused <= UNUSED_ENTRIES) list.add("table entry", table + block * 8, 8);
  }
  return { isLittleEndian: false, entryFlags: 0n, clusterSize, sites: list.sites };
}
