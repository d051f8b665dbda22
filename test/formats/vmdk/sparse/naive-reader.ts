/** Reads a small sparse VMDK in memory the slow and obvious way, apart from all code under test. */

import { inflateSync } from "node:zlib";

export function readSparseNaively(file: Uint8Array): Uint8Array {
  const image = Buffer.from(file);
  if (image.toString("latin1", 0, 4) !== "KDMV") throw new Error("no sparse VMDK");
  const number = (at: number) => Number(image.readBigUInt64LE(at));
  const flags = image.readUInt32LE(8);
  const [size, grainSize, entryCount] = [number(12) * 512, number(20) * 512, image.readUInt32LE(44)];
  const isAtEnd = image.readBigUInt64LE(56) === 0xffff_ffff_ffff_ffffn;
  const directory = number(isAtEnd ? image.length - 1024 + 56 : 56) * 512;
  const guest = Buffer.alloc(Math.ceil(size / grainSize) * grainSize);
  for (let grain = 0; grain * grainSize < size; grain++) {
    const table = image.readUInt32LE(directory + Math.floor(grain / entryCount) * 4) * 512;
    if (table === 0) continue;
    const place = image.readUInt32LE(table + (grain % entryCount) * 4) * 512;
    if (place === 0 || (place === 512 && (flags & 4) !== 0)) continue;
    if ((flags & 0x10000) === 0) image.copy(guest, grain * grainSize, place, place + grainSize);
    else {
      if (number(place) * 512 !== grain * grainSize) throw new Error(`grain ${grain} is another one`);
      const stream = image.subarray(place + 12, place + 12 + image.readUInt32LE(place + 8));
      inflateSync(stream).copy(guest, grain * grainSize);
    }
  }
  return new Uint8Array(guest.subarray(0, size));
}
