/**
 * The toy's header: its field table and the rules that it must keep. All numbers are big-endian.
 *
 *   | header | blocks ... | table, in whole blocks | blocks ... |
 *
 *    0  magic, "TOYIMAGE"
 *    8  version, 1
 *   12  bytes of a block, a power of two from 4 KiB to 2 MiB; the first block is the header's
 *   16  bytes of the guest's disk, a multiple of 512
 *   24  host offset of the table, a multiple of the block size
 *
 * The rest of the first block is nobody's. The table has one entry of 64 bits for each block of the disk: its host
 * offset, or 0 for a block that reads as zeros.
 */

import { alignUp, ceilDiv, isAligned, isPowerOfTwo, KiB, MiB, SECTOR_SIZE } from "../../../../src/bytes/align.ts";
import { hex, ImageError, type ImageErrorKind } from "../../../../src/bytes/image-error.ts";
import { bytes, type StructValues, struct, u32, u64 } from "../../../../src/bytes/struct.ts";
import type { Storage } from "../../../../src/storage/storage.ts";

export const TOY_MAGIC = "TOYIMAGE";
export const TOY_VERSION = 1;

export const ToyHeaderFields = struct(
  "toy header",
  "be",
  { at: 0, size: 32 },
  { magic: bytes(0, 8), version: u32(8), blockSize: u32(12), virtualSize: u64(16), tableOffset: u64(24) },
);
export type ToyHeaderValues = StructValues<typeof ToyHeaderFields.fields>;

export const MIN_BLOCK_SIZE = 4 * KiB;
export const MAX_BLOCK_SIZE = 2 * MiB;
export const ENTRY_SIZE = 8;

/** A header that keeps all rules. */
export interface ToyHeader {
  readonly blockSize: number;
  readonly virtualSize: number;
  readonly tableOffset: number;
  readonly entryCount: number;
  readonly fileSize: number;
}

/** Bytes of the whole blocks that hold the table of a disk. */
export function tableSizeFor(virtualSize: number, blockSize: number): number {
  return alignUp(ceilDiv(virtualSize, blockSize) * ENTRY_SIZE, blockSize);
}

export function isBlockSize(size: number): boolean {
  return isPowerOfTwo(size) && size >= MIN_BLOCK_SIZE && size <= MAX_BLOCK_SIZE;
}

/** Throws ImageError for the first rule that is broken. The table lies inside the file, so its size is no field's word alone. */
export async function readToyHeader(storage: Storage): Promise<ToyHeader> {
  const refuse = (kind: ImageErrorKind, message: string, hostOffset: number) =>
    new ImageError(kind, `Cannot open the image${message}`, {
      format: "toy",
      path: storage.path,
      structure: "toy header",
      hostOffset,
    });
  const fileSize = await storage.size();
  const sector = new Uint8Array(SECTOR_SIZE);
  const head = sector.subarray(0, await storage.read(0, sector));
  if (!Buffer.from(head).toString("latin1").startsWith(TOY_MAGIC)) {
    throw refuse("not-this-format", ` as toy: it does not begin with ${TOY_MAGIC}`, 0);
  }
  const { version, blockSize, virtualSize, tableOffset } = ToyHeaderFields.parse(head);
  if (version !== TOY_VERSION) throw refuse("unsupported", `: version ${version} is not ${TOY_VERSION}`, 8);
  if (!isBlockSize(blockSize)) {
    throw refuse("corrupt", `: block size ${blockSize} is no power of two from ${MIN_BLOCK_SIZE} to 2 MiB`, 12);
  }
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    throw refuse("corrupt", `: virtual size ${virtualSize} is no multiple of 512`, 16);
  }
  const tableEnd = tableOffset + tableSizeFor(virtualSize, blockSize);
  if (!isAligned(tableOffset, blockSize) || tableOffset < blockSize || tableEnd > fileSize) {
    throw refuse("corrupt", `: its table at ${hex(tableOffset)} is not aligned, in the header or outside the file`, 24);
  }
  return { blockSize, virtualSize, tableOffset, entryCount: ceilDiv(virtualSize, blockSize), fileSize };
}
