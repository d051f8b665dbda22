/** Every field of a VHDX's structures and the entries of its BAT. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";
import { GUIDS, guid, HEADERS, KiB, REGION_TABLES } from "./bytes.ts";

const HEADER: readonly [what: string, at: number, size: 2 | 4 | 8][] = [
  ["header signature", 0, 4],
  ["header checksum", 4, 4],
  ["sequence number", 8, 8],
  ["log GUID", 48, 8],
  ["log GUID", 56, 8],
  ["log version", 64, 2],
  ["version", 66, 2],
  ["log length", 68, 4],
  ["log offset", 72, 8],
];
const REGION: readonly [what: string, at: number, size: 4 | 8][] = [
  ["region GUID", 0, 8],
  ["region GUID", 8, 8],
  ["region offset", 16, 8],
  ["region length", 24, 4],
  ["region flags", 28, 4],
];
const ITEM: readonly [what: string, at: number, size: 4 | 8][] = [
  ["item GUID", 0, 8],
  ["item GUID", 8, 8],
  ["item offset", 16, 4],
  ["item length", 20, 4],
  ["item flags", 24, 4],
];

export function vhdxFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  list.add("file signature", 0, 8);
  for (const start of HEADERS) for (const [what, at, size] of HEADER) list.add(what, start + at, size);
  for (const start of REGION_TABLES) {
    list.add("region signature", start, 4);
    list.add("region checksum", start + 4, 4);
    list.add("region count", start + 8, 4);
    for (let index = 0; index < image.readUInt32LE(start + 8); index++) {
      for (const [what, at, size] of REGION) list.add(what, start + 16 + 32 * index + at, size);
    }
  }
  const metadata = regionAt(image, GUIDS.metadata);
  list.add("metadata signature", metadata, 8);
  list.add("item count", metadata + 10, 2);
  let blockSize = 0;
  let virtualSize = 0;
  for (let index = 0; index < image.readUInt16LE(metadata + 10); index++) {
    const entryAt = metadata + 32 + 32 * index;
    for (const [what, at, size] of ITEM) list.add(what, entryAt + at, size);
    const itemAt = metadata + image.readUInt32LE(entryAt + 16);
    const id = image.subarray(entryAt, entryAt + 16);
    if (image.readUInt32LE(entryAt + 24) % 2 === 1) continue;
    if (guid(GUIDS.fileParameters).equals(id)) {
      blockSize = image.readUInt32LE(itemAt);
      list.add("block size", itemAt, 4);
      list.add("parameter flags", itemAt + 4, 4);
    } else if (guid(GUIDS.virtualDiskSize).equals(id)) {
      virtualSize = Number(image.readBigUInt64LE(itemAt));
      list.add("virtual disk size", itemAt, 8);
    } else if (!guid(GUIDS.page83Data).equals(id)) list.add("sector size", itemAt, 4);
  }
  const bat = regionAt(image, GUIDS.bat);
  const blockCount = Math.ceil(virtualSize / blockSize);
  const entryCount = blockCount + Math.floor((blockCount - 1) / (2 ** 32 / blockSize));
  let unused = 0;
  for (let index = 0; index < entryCount; index++) {
    if (image.readBigUInt64LE(bat + 8 * index) !== 0n) list.add("BAT entry", bat + 8 * index, 8);
    else if (unused++ < UNUSED_ENTRIES) list.add("BAT entry", bat + 8 * index, 8);
  }
  return { isLittleEndian: true, entryFlags: 7n, clusterSize: 1024 * KiB, sites: list.sites };
}

function regionAt(image: Buffer, id: string): number {
  const [start] = REGION_TABLES;
  for (let index = 0; index < image.readUInt32LE(start + 8); index++) {
    const entryAt = start + 16 + 32 * index;
    if (guid(id).equals(image.subarray(entryAt, entryAt + 16))) return Number(image.readBigUInt64LE(entryAt + 16));
  }
  throw new Error(`There is no region ${id}`);
}
