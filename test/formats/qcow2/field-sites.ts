/** Every field and table entry of a valid qcow2 image. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../field-map.ts";

/** Offsets 9 to 55 of a qcow2 entry. */
const PLACE_MASK = 0x00ff_ffff_ffff_fe00n;
/** The flags of an entry, its reserved bits among them. */
const ENTRY_FLAGS = 0xff00_0000_0000_01ffn;

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 4 | 8][] = [
  ["magic", 0, 4],
  ["version", 4, 4],
  ["backing_file_offset", 8, 8],
  ["backing_file_size", 16, 4],
  ["cluster_bits", 20, 4],
  ["size", 24, 8],
  ["crypt_method", 32, 4],
  ["l1_size", 36, 4],
  ["l1_table_offset", 40, 8],
  ["refcount_table_offset", 48, 8],
  ["refcount_table_clusters", 56, 4],
  ["nb_snapshots", 60, 4],
  ["snapshots_offset", 64, 8],
  ["incompatible_features", 72, 8],
  ["compatible_features", 80, 8],
  ["autoclear_features", 88, 8],
  ["refcount_order", 96, 4],
  ["header_length", 100, 4],
  ["compression_type", 104, 1],
];

export function qcow2FieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  const version = image.readUInt32BE(4);
  const clusterSize = 2 ** image.readUInt32BE(20);
  for (const [what, hostOffset, size] of HEADER) {
    if (hostOffset < 72 || version >= 3) list.add(what, hostOffset, size);
  }
  const bitmapDirectory = addExtensions(image, list, version === 2 ? 72 : image.readUInt32BE(100), clusterSize);
  if (bitmapDirectory !== undefined) addBitmaps(image, list, bitmapDirectory, clusterSize);
  const entrySize = version >= 3 && (image.readUInt32BE(76) & 16) !== 0 ? 16 : 8;
  addL1(image, list, "", place(image, 40), image.readUInt32BE(36), clusterSize, entrySize);
  let next = place(image, 64);
  for (let index = 0; index < image.readUInt32BE(60); index++) {
    for (const [field, size] of [
      [0, 8],
      [8, 4],
      [12, 2],
      [14, 2],
      [32, 4],
      [36, 4],
    ] as const) {
      list.add("snapshot", next + field, size);
    }
    addL1(image, list, "snapshot's ", place(image, next), image.readUInt32BE(next + 8), clusterSize, entrySize);
    const tail = image.readUInt16BE(next + 12) + image.readUInt16BE(next + 14) + image.readUInt32BE(next + 36);
    next += Math.ceil((40 + tail) / 8) * 8;
  }
  addRefcounts(image, list, clusterSize, version === 2 ? 16 : 2 ** image.readUInt32BE(96));
  return { isLittleEndian: false, entryFlags: ENTRY_FLAGS, clusterSize, sites: list.sites };
}

/** Types and lengths of extensions, and the fields of the bitmaps extension; the directory's place if there is one. */
function addExtensions(image: Buffer, list: SiteList, start: number, clusterSize: number): number | undefined {
  let directory: number | undefined;
  for (let next = start; next + 8 <= Math.min(clusterSize, image.length); ) {
    const type = image.readUInt32BE(next);
    const length = image.readUInt32BE(next + 4);
    list.add("header extension", next, 4);
    list.add("header extension", next + 4, 4);
    if (type === 0) break;
    if (type === 0x23852875) {
      list.add("bitmaps extension", next + 8, 4);
      list.add("bitmaps extension", next + 16, 8);
      list.add("bitmaps extension", next + 24, 8);
      directory = next + 8;
    }
    for (let at = 0; at < Math.min(length, 64); at++) list.add("extension data", next + 8 + at, 1);
    next += 8 + Math.ceil(length / 8) * 8;
  }
  return directory;
}

function addBitmaps(image: Buffer, list: SiteList, extension: number, clusterSize: number): void {
  let next = place(image, extension + 16);
  for (let index = 0; index < image.readUInt32BE(extension); index++) {
    for (const [field, size] of [
      [0, 8],
      [8, 4],
      [12, 4],
      [16, 1],
      [17, 1],
      [18, 2],
      [20, 4],
    ] as const) {
      list.add("bitmap", next + field, size);
    }
    const table = place(image, next);
    const entryCount = Math.min(image.readUInt32BE(next + 8), clusterSize / 8);
    for (let entry = 0; entry < entryCount; entry++) list.add("bitmap table entry", table + entry * 8, 8);
    next += Math.ceil((24 + image.readUInt16BE(next + 18) + image.readUInt32BE(next + 20)) / 8) * 8;
  }
}

function addL1(
  image: Buffer,
  list: SiteList,
  owner: string,
  l1: number,
  entryCount: number,
  clusterSize: number,
  entrySize: number,
): void {
  for (let index = 0; index < entryCount; index++) {
    list.add(`${owner}L1 entry`, l1 + index * 8, 8);
    const table = Number(image.readBigUInt64BE(l1 + index * 8) & PLACE_MASK);
    if (table === 0) continue;
    for (let at = 0, unused = 0; at < clusterSize; at += entrySize) {
      const isUsed = image.readBigUInt64BE(table + at) !== 0n;
      if (!isUsed && ++unused > UNUSED_ENTRIES) continue;
      list.add(`${owner}L2 entry`, table + at, 8);
      if (entrySize === 16) list.add(`${owner}subcluster bitmap`, table + at + 8, 8);
    }
  }
}

function addRefcounts(image: Buffer, list: SiteList, clusterSize: number, refcountBits: number): void {
  const table = place(image, 48);
  for (let index = 0; index < 3; index++) list.add("refcount table entry", table + index * 8, 8);
  const width = Math.max(1, refcountBits / 8) as 1 | 2 | 4 | 8;
  const clusterCount = Math.ceil(image.length / clusterSize);
  const bytes = Math.min(clusterSize, Math.ceil((clusterCount * refcountBits) / 8));
  const block = place(image, table);
  for (let at = 0; at + width <= bytes; at += width) list.add("refcount", block + at, width);
}

function place(image: Buffer, hostOffset: number): number {
  return Number(image.readBigUInt64BE(hostOffset));
}
