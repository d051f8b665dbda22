/** Every field and table entry of a valid sparse VMDK, its footer and its markers. */

import { type FieldMap, SiteList, UNUSED_ENTRIES } from "../../field-map.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 2 | 4 | 8][] = [
  ["magic", 0, 4],
  ["version", 4, 4],
  ["flags", 8, 4],
  ["capacity", 12, 8],
  ["grain size", 20, 8],
  ["descriptor offset", 28, 8],
  ["descriptor size", 36, 8],
  ["entries", 44, 4],
  ["redundant directory", 48, 8],
  ["directory", 56, 8],
  ["overhead", 64, 8],
  ["unclean shutdown", 72, 1],
  ["line ends", 73, 4],
  ["compression", 77, 2],
];

export function sparseFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, hostOffset, size] of HEADER) list.add(what, hostOffset, size);
  const isStream = (image.readUInt32LE(8) & 0x1_0000) !== 0;
  const footer = image.length - 1024;
  const isAtEnd = image.readBigUInt64LE(56) === 0xffff_ffff_ffff_ffffn;
  if (isAtEnd) {
    for (const [what, hostOffset, size] of HEADER) list.add(`footer's ${what}`, footer + hostOffset, size);
    for (const at of [footer - 512, footer + 512]) for (const [, field] of MARKER) list.add("marker", at + field, 4);
  }
  const grainSize = Number(image.readBigUInt64LE(20)) * 512;
  const entryCount = image.readUInt32LE(44);
  const tableCount = Math.ceil((Number(image.readBigUInt64LE(12)) * 512) / (grainSize * entryCount));
  const directories = [isAtEnd ? footer + 56 : 56, 48].map((at) => Number(image.readBigUInt64LE(at)) * 512);
  for (const directory of directories.filter((each) => each > 0 && each < image.length)) {
    for (let index = 0; index < tableCount; index++) {
      list.add("directory entry", directory + index * 4, 4);
      const table = image.readUInt32LE(directory + index * 4) * 512;
      for (let at = 0, unused = 0; table > 0 && at < entryCount; at++) {
        const grain = image.readUInt32LE(table + at * 4) * 512;
        if (grain === 0 && ++unused > UNUSED_ENTRIES) continue;
        list.add("table entry", table + at * 4, 4);
        if (isStream && grain > 512) for (const [what, field, size] of GRAIN) list.add(what, grain + field, size);
      }
    }
  }
  return { isLittleEndian: true, entryFlags: 0n, clusterSize: grainSize, sites: list.sites };
}

const MARKER = [0, 4, 8, 12].map((at) => ["marker", at] as const);
const GRAIN: readonly [what: string, field: number, size: 1 | 4 | 8][] = [
  ["grain's sector", 0, 8],
  ["grain's length", 8, 4],
  ["zlib method", 12, 1],
  ["zlib flags", 13, 1],
];
