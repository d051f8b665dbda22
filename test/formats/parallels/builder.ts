/** Makes Parallels images byte by byte from a description, by nothing of `src/`. */

import { createHash } from "node:crypto";
import { seededRandom } from "../../support/random.ts";
import { clusterContent } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";

export interface ParallelsDescription {
  /** Bytes of the guest's disk, whole sectors. */
  readonly virtualSize: number;
  /** Default 8: tracks of 4096 bytes. */
  readonly trackSectors?: number;
  /** Tracks that hold data, filled with a pattern. */
  readonly data?: readonly number[];
  /** Shuffles the data in the file; 0 or absent: guest order. */
  readonly seed?: number;
  /** Default the newer one, whose BAT counts tracks. */
  readonly magic?: "WithouFreSpacExt" | "WithoutFreeSpace";
  /** Under the older magic, sectors that the first track lies behind the place it would have. */
  readonly shift?: number;
  readonly inUse?: number;
  readonly flags?: number;
  /** Entries of the BAT past the disk's end. */
  readonly moreEntries?: number;
  /** Tracks that nothing names, behind all others, filled with 0xee. */
  readonly leaks?: number;
  /** What the extension behind all of it holds; absent: there is none. */
  readonly extension?: Buffer;
  /** Bytes that the file lacks at its end. */
  readonly missing?: number;
}

export interface BuiltParallels extends BuiltImage {
  readonly trackSize: number;
  /** Track of the guest to host offset. */
  readonly dataOffsets: ReadonlyMap<number, number>;
}

export function buildParallels(description: ParallelsDescription): BuiltParallels {
  const { virtualSize, trackSectors = 8, data = [], magic = "WithouFreSpacExt", leaks = 0 } = description;
  const trackSize = trackSectors * 512;
  const trackCount = Math.ceil(virtualSize / trackSize);
  const batCount = trackCount + (description.moreEntries ?? 0);
  const isByTrack = magic === "WithouFreSpacExt";
  const firstTrack = Math.ceil((64 + batCount * 4) / trackSize) * trackSize;
  const shift = isByTrack ? 0 : (description.shift ?? 0) * 512;
  const order = description.seed ? seededRandom(description.seed).shuffle(data) : data;
  const dataEnd = firstTrack + shift + order.length * trackSize;
  const end = dataEnd + leaks * trackSize;
  const { extension } = description;
  const bytes = Buffer.alloc(end + (extension ? trackSize : 0));
  bytes.fill(0xee, dataEnd, end);
  bytes.write(magic, 0, "latin1");
  for (const [at, value] of [
    [16, 2],
    [20, 16],
    [24, Math.ceil(virtualSize / 512 / 16 / 63)],
    [28, trackSectors],
    [32, batCount],
    [44, description.inUse ?? 0],
    [48, isByTrack ? firstTrack / 512 : 0],
    [52, description.flags ?? 0],
  ] as const) {
    bytes.writeUInt32LE(value, at);
  }
  bytes.writeBigUInt64LE(BigInt(virtualSize / 512), 36);
  const guest = new Uint8Array(trackCount * trackSize);
  const dataOffsets = new Map<number, number>();
  for (const [at, track] of order.entries()) {
    const hostOffset = firstTrack + shift + at * trackSize;
    const content = clusterContent(track, trackSize);
    bytes.set(content, hostOffset);
    guest.set(content, track * trackSize);
    bytes.writeUInt32LE(hostOffset / (isByTrack ? trackSize : 512), 64 + track * 4);
    dataOffsets.set(track, hostOffset);
  }
  if (extension) {
    bytes.writeBigUInt64LE(BigInt(end / 512), 56);
    extension.copy(bytes, end + 24);
    bytes.writeBigUInt64LE(0xab234cef23dcea87n, end);
    bytes.set(
      createHash("md5")
        .update(bytes.subarray(end + 24))
        .digest(),
      end + 8,
    );
  }
  const kept = bytes.subarray(0, bytes.length - (description.missing ?? 0));
  return { bytes: new Uint8Array(kept), guest: guest.slice(0, virtualSize), trackSize, dataOffsets };
}

/** One feature of an extension. */
export function feature(magic: bigint, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(24);
  head.writeBigUInt64LE(magic, 0);
  head.writeUInt32LE(flags, 8);
  head.writeUInt32LE(data.length, 16);
  return Buffer.concat([head, data, Buffer.alloc(-data.length & 7)]);
}

/** A dirty bitmap of nothing, whose id is 16 bytes of one value. */
export function dirtyBitmap(virtualSize: number, id: number): Buffer {
  const data = Buffer.alloc(40);
  data.writeBigUInt64LE(BigInt(virtualSize / 512), 0);
  data.fill(id, 8, 24);
  data.writeUInt32LE(128, 24);
  data.writeUInt32LE(1, 28);
  return feature(0x20385fae252cb34an, 0, data);
}
