/** Entries of a VHDX's block allocation table: 64 bits, read as two halves (MS-VHDX, "BAT"). */

import { MiB } from "../../../bytes/align.ts";

export const BAT_ENTRY_SIZE = 8;

/** What an entry says of its payload block; without a parent all but the last read as zeros. */
export const BlockState = {
  notPresent: 0,
  undefined: 1,
  zero: 2,
  unmapped: 3,
  fullyPresent: 6,
} as const;

export function stateOf(low: number): number {
  return low & 7;
}

export function hasReservedBits(low: number): boolean {
  return (low & 0xffff8) !== 0;
}

/** Exact whatever it says: a multiple of 1 MiB below 2^64. */
export function hostOffsetOf(low: number, high: number): number {
  return (high * 4096 + (low >>> 20)) * MiB;
}

export interface BatLayout {
  readonly blockCount: number;
  /** Payload blocks behind whose entries one of a sector bitmap follows. */
  readonly chunkRatio: number;
  /** Of both kinds. */
  readonly entryCount: number;
}

/** `virtualSize` and `blockSize` in bytes, of a disk without a parent and with sectors of 512 bytes. */
export function batLayoutOf(virtualSize: number, blockSize: number): BatLayout {
  const blockCount = Math.ceil(virtualSize / blockSize);
  const chunkRatio = 2 ** 32 / blockSize;
  const bitmapCount = blockCount === 0 ? 0 : Math.floor((blockCount - 1) / chunkRatio);
  return { blockCount, chunkRatio, entryCount: blockCount + bitmapCount };
}

/** Where the entry of a payload block is; behind each `chunkRatio` of them one of a sector bitmap follows. */
export function entryOfBlock(block: number, chunkRatio: number): number {
  return block + Math.floor(block / chunkRatio);
}

/** The first payload block whose entry is this one or behind it. */
export function blockFromEntry(entry: number, chunkRatio: number): number {
  return entry - Math.floor(entry / (chunkRatio + 1));
}
