/** Makes VDI images byte by byte from a description, by nothing of `src/`. */

import { seededRandom } from "../../support/random.ts";
import { BLOCK_SIZE, clusterContent, type GuestContents, guestBytesOf } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";

export const MiB = 1024 * 1024;
const UNALLOCATED = 0xffffffff;
const ZERO = 0xfffffffe;

export interface VdiDescription {
  /** Bytes of the guest's disk. */
  readonly virtualSize: number;
  /** Blocks of 1 MiB that hold data, filled with a pattern. */
  readonly data?: readonly number[];
  /** Blocks that are said to be zeros. */
  readonly zero?: readonly number[];
  /** Shuffles the data in the file; 0 or absent: guest order. */
  readonly seed?: number;
  /** Default 1, dynamic. */
  readonly imageType?: number;
  /** Default 512. */
  readonly mapOffset?: number;
  /** Default the first sector after the map, where qemu-img puts it. */
  readonly dataOffset?: number;
  /** Default 384, as qemu-img has it; VirtualBox has 400. */
  readonly headerSize?: number;
  readonly text?: string;
  readonly comment?: string;
  /** Entries of the map past the disk's end. */
  readonly moreEntries?: number;
  /** Bytes after the last block, filled with 0xdd. */
  readonly tail?: number;
  /** What the file lacks: all blocks, for those who read the map alone, or what its last one has past the disk's end. */
  readonly isCut?: "before its blocks" | "at the disk's end";
}

export interface BuiltVdi extends BuiltImage {
  readonly mapOffset: number;
  readonly dataOffset: number;
}

export function buildVdi(description: VdiDescription): BuiltVdi {
  const { virtualSize, data = [] } = description;
  const guest = new Uint8Array(Math.ceil(virtualSize / MiB) * MiB);
  for (const block of data) guest.set(clusterContent(block, MiB), block * MiB);
  return buildOf(description, data, guest);
}

/** Of contents in small blocks: a block of 1 MiB is stored where any of it is data, the last one as far as it is shown. */
export function buildVdiOf(contents: GuestContents): BuiltVdi {
  const blocksOf = (small: readonly number[]) => [...new Set(small.map((at) => Math.floor((at * BLOCK_SIZE) / MiB)))];
  const data = blocksOf(contents.data).sort((a, b) => a - b);
  const zero = blocksOf(contents.zero ?? []).filter((block) => !data.includes(block));
  const guest = new Uint8Array(Math.ceil(contents.virtualSize / MiB) * MiB);
  guest.set(guestBytesOf(contents));
  return buildOf({ virtualSize: contents.virtualSize, zero, isCut: "at the disk's end" }, data, guest);
}

function buildOf(description: VdiDescription, data: readonly number[], guest: Uint8Array): BuiltVdi {
  const { virtualSize, zero = [], mapOffset = 512, moreEntries = 0, tail = 0, comment = "" } = description;
  const { text = "<<< QEMU VM Virtual Disk Image >>>\n", headerSize = 384, imageType = 1 } = description;
  const virtualBlocks = guest.length / MiB;
  const blockCount = virtualBlocks + moreEntries;
  const dataOffset = description.dataOffset ?? Math.ceil((mapOffset + blockCount * 4) / 512) * 512;
  const order = description.seed ? seededRandom(description.seed).shuffle(data) : data;
  const end = dataOffset + order.length * MiB;
  const bytes = Buffer.alloc(end + tail);
  bytes.fill(0xdd, end);
  bytes.write(text, 0, "latin1");
  for (const [at, value] of [
    [64, 0xbeda107f],
    [68, 0x00010001],
    [72, headerSize],
    [76, imageType],
    [340, mapOffset],
    [344, dataOffset],
    [360, 512],
    [376, MiB],
    [384, blockCount],
    [388, order.length],
  ] as const) {
    bytes.writeUInt32LE(value, at);
  }
  bytes.write(comment, 84, 256, "latin1");
  bytes.writeBigUInt64LE(BigInt(virtualSize), 368);
  for (let at = 0; at < 32; at++) bytes[392 + at] = 0xa0 + at;
  const entries = new Array<number>(blockCount).fill(UNALLOCATED);
  for (const block of zero) entries[block] = ZERO;
  for (const [index, block] of order.entries()) {
    entries[block] = index;
    bytes.set(guest.subarray(block * MiB, (block + 1) * MiB), dataOffset + index * MiB);
  }
  for (const [index, entry] of entries.entries()) bytes.writeUInt32LE(entry, mapOffset + index * 4);
  const unshown = order.at(-1) === virtualBlocks - 1 ? virtualBlocks * MiB - virtualSize : 0;
  const keptEnd = { "before its blocks": dataOffset, "at the disk's end": end - unshown, nowhere: undefined }[
    description.isCut ?? "nowhere"
  ];
  const kept = bytes.subarray(0, keptEnd);
  return {
    bytes: new Uint8Array(kept),
    guest: guest.slice(0, Math.ceil(virtualSize / 512) * 512),
    mapOffset,
    dataOffset,
  };
}
