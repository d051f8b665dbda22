/** Reads a stream from front to end, as those do who take it from a pipe: by its markers alone, none of its tables. */

import { inflateSync } from "node:zlib";

export interface ReadStream {
  readonly guest: Uint8Array;
  readonly grainCount: number;
  /** Of tables, directory and footer, in the order found. */
  readonly markers: readonly number[];
}

/** Throws where a grain comes out of turn, a marker is odd, or anything follows the end of the stream. */
export function readStreamInOrder(file: Uint8Array): ReadStream {
  const image = Buffer.from(file);
  const size = Number(image.readBigUInt64LE(12)) * 512;
  const guest = Buffer.alloc(Math.ceil(size / 65536) * 65536);
  const markers: number[] = [];
  let grainCount = 0;
  let next = 0;
  let at = Number(image.readBigUInt64LE(64)) * 512;
  for (;;) {
    const sector = Number(image.readBigUInt64LE(at));
    const length = image.readUInt32LE(at + 8);
    if (length > 0) {
      if (sector < next || sector % 128 !== 0) throw new Error(`sector ${sector} is out of turn`);
      const stream = image.subarray(at + 12, at + 12 + length);
      if (stream.readUInt16BE(0) !== 0x789c) throw new Error(`the grain at ${at} is no stream of zlib`);
      const plain = inflateSync(stream);
      if (plain.length !== 65536) throw new Error(`the grain at ${at} has ${plain.length} bytes`);
      plain.copy(guest, sector * 512);
      next = sector + 128;
      grainCount++;
      at += Math.ceil((12 + length) / 512) * 512;
      continue;
    }
    const type = image.readUInt32LE(at + 12);
    if (type === 0) break;
    markers.push(type);
    at += 512 + sector * 512;
  }
  if (at + 512 !== image.length) throw new Error(`${image.length - at - 512} bytes follow the end of the stream`);
  if (image.subarray(at).some((byte) => byte !== 0)) throw new Error("the end of the stream is no sector of zeros");
  return { guest: new Uint8Array(guest.subarray(0, size)), grainCount, markers };
}
