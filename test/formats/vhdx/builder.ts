/**
 * Makes VHDX images byte by byte from a description, by nothing of `src/`, so that the driver is tested against it.
 *
 *   | id, headers, region tables | log | BAT | metadata | blocks |        each at a multiple of 1 MiB
 */

import { seededRandom } from "../../support/random.ts";
import { clusterContent, BLOCK_SIZE as PIECE } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";
import { GUIDS, guid, HEADERS, KiB, MiB, REGION_TABLES, seal } from "./bytes.ts";
import { type LogDescription, writeLog } from "./log.ts";

export interface VhdxDescription {
  /** Bytes of the guest's disk. */
  readonly virtualSize: number;
  /** Bytes; default 1 MiB. */
  readonly blockSize?: number;
  /** Pieces of 4 KiB that hold data; a block with one of them is in the file whole. */
  readonly data: readonly number[];
  /** Pieces of 4 KiB; a block without data with one of them has the state ZERO. */
  readonly zero?: readonly number[];
  /** States of blocks without data, by number. */
  readonly states?: Readonly<Record<number, number>>;
  /** Blocks lie in disorder. */
  readonly seed?: number;
  /** MiB that nobody points at, before every other block. */
  readonly gap?: number;
  /** Where the regions lie, in order; `blocks` stands for all blocks. */
  readonly order?: readonly ("log" | "bat" | "metadata" | "blocks")[];
  readonly sequenceNumbers?: readonly [bigint, bigint];
  readonly isFixed?: boolean;
  readonly physicalSectorSize?: number;
  /** An unknown region and an unknown metadata item, neither of which anybody has to know. */
  readonly hasUnknown?: boolean;
  /** Bytes behind all else. */
  readonly tail?: number;
  /** The file ends where the disk does, inside its last block; only with `blocks` last and the last block stored last. */
  readonly isCut?: boolean;
  readonly log?: LogDescription;
}

export interface BuiltVhdx extends BuiltImage {
  readonly bytes: Buffer;
  readonly batAt: number;
  readonly metadataAt: number;
  readonly logAt: number;
  /** Block number to host offset. */
  readonly blocks: ReadonlyMap<number, number>;
}

export const STATE = {
  notPresent: 0,
  undefined: 1,
  zero: 2,
  unmapped: 3,
  fullyPresent: 6,
  partiallyPresent: 7,
} as const;
/** Where the metadata items lie in their region. */
export const ITEMS = {
  fileParameters: 64 * KiB,
  size: 64 * KiB + 8,
  page83: 64 * KiB + 16,
  logical: 64 * KiB + 32,
  physical: 64 * KiB + 36,
};

/** The entry of a payload block, behind those of sector bitmaps before it. */
export function batIndexOf(block: number, blockSize = MiB): number {
  return block + Math.floor(block / (2 ** 32 / blockSize));
}

export function buildVhdx(description: VhdxDescription): BuiltVhdx {
  const { virtualSize, blockSize = MiB, data, zero = [], states = {}, gap = 0, hasUnknown = false } = description;
  const { order = ["log", "bat", "metadata", "blocks"], tail = 0 } = description;
  const blockCount = Math.ceil(virtualSize / blockSize);
  const blockOf = (piece: number) => Math.floor((piece * PIECE) / blockSize);
  const inOrder = [...new Set(data.map(blockOf))].sort((a, b) => a - b);
  const stored = description.seed ? seededRandom(description.seed).shuffle(inOrder) : inOrder;
  const entryCount = batIndexOf(Math.max(0, blockCount - 1), blockSize) + 1;
  const batSize = Math.ceil((entryCount * 8) / MiB) * MiB;

  let end = MiB;
  const place = (size: number) => {
    end += size;
    return end - size;
  };
  const places = { log: 0, bat: 0, metadata: 0 };
  const blocks = new Map<number, number>();
  for (const what of order) {
    if (what !== "blocks") places[what] = place(what === "bat" ? batSize : MiB);
    else
      for (const [at, block] of stored.entries())
        blocks.set(block, place(blockSize + (at % 2) * gap * MiB) + (at % 2) * gap * MiB);
  }
  const unknownAt = hasUnknown ? place(MiB) : 0;
  const bytes = Buffer.alloc(end + tail);
  bytes.fill(0xdd, end);

  const guest = Buffer.alloc(virtualSize);
  for (const piece of data) {
    const content = Buffer.from(clusterContent(piece, PIECE));
    content.copy(guest, piece * PIECE);
    const within = (piece * PIECE) % blockSize;
    content.copy(bytes, (blocks.get(blockOf(piece)) as number) + within);
  }
  const entry = (block: number, value: bigint) =>
    bytes.writeBigUInt64LE(value, places.bat + 8 * batIndexOf(block, blockSize));
  for (const piece of zero) entry(blockOf(piece), BigInt(STATE.zero));
  for (const [block, state] of Object.entries(states)) entry(Number(block), BigInt(state));
  for (const [block, hostOffset] of blocks) entry(block, BigInt(hostOffset) | BigInt(STATE.fullyPresent));

  bytes.write("vhdxfile", 0, "latin1");
  bytes.write("a test's builder", 8, "utf16le");
  const regions: RegionDescription[] = [
    { id: GUIDS.bat, at: places.bat, length: batSize },
    { id: GUIDS.metadata, at: places.metadata, length: MiB },
  ];
  if (hasUnknown)
    regions.push({ id: "01234567-89AB-CDEF-0123-456789ABCDEF", at: unknownAt, length: MiB, isRequired: false });
  for (const at of REGION_TABLES) regionTable(regions).copy(bytes, at);
  metadataRegion(description, hasUnknown).copy(bytes, places.metadata);
  const [first = 1n, second = 2n] = description.sequenceNumbers ?? [];
  for (const [at, sequenceNumber] of [
    [HEADERS[0], first],
    [HEADERS[1], second],
  ] as const) {
    header({ sequenceNumber, logAt: places.log, ...(description.log && { logGuid: description.log.guid }) }).copy(
      bytes,
      at,
    );
  }
  if (description.log) writeLog(bytes, places.log, description.log);
  const cut = description.isCut ? end - (blockCount * blockSize - virtualSize) : bytes.length;
  return {
    bytes: bytes.subarray(0, cut),
    guest,
    batAt: places.bat,
    metadataAt: places.metadata,
    logAt: places.log,
    blocks,
  };
}

export function header(description: {
  readonly sequenceNumber: bigint;
  readonly logAt: number;
  readonly logGuid?: string;
  readonly logLength?: number;
}): Buffer {
  const bytes = Buffer.alloc(4 * KiB);
  bytes.write("head", 0, "latin1");
  bytes.writeBigUInt64LE(description.sequenceNumber, 8);
  guid("11111111-2222-3333-4444-555555555555").copy(bytes, 16);
  guid("66666666-7777-8888-9999-AAAAAAAAAAAA").copy(bytes, 32);
  if (description.logGuid) guid(description.logGuid).copy(bytes, 48);
  bytes.writeUInt16LE(1, 66);
  bytes.writeUInt32LE(description.logLength ?? MiB, 68);
  bytes.writeBigUInt64LE(BigInt(description.logAt), 72);
  return seal(bytes);
}

export interface RegionDescription {
  readonly id: string;
  readonly at: number;
  readonly length: number;
  readonly isRequired?: boolean;
}

export function regionTable(regions: readonly RegionDescription[], entryCount = regions.length): Buffer {
  const bytes = Buffer.alloc(64 * KiB);
  bytes.write("regi", 0, "latin1");
  bytes.writeUInt32LE(entryCount, 8);
  for (const [index, { id, at, length, isRequired = true }] of regions.entries()) {
    const entryAt = 16 + 32 * index;
    guid(id).copy(bytes, entryAt);
    bytes.writeBigUInt64LE(BigInt(at), entryAt + 16);
    bytes.writeUInt32LE(length, entryAt + 24);
    bytes.writeUInt32LE(isRequired ? 1 : 0, entryAt + 28);
  }
  return seal(bytes);
}

function metadataRegion(description: VhdxDescription, hasUnknown: boolean): Buffer {
  const { virtualSize, blockSize = MiB, isFixed, physicalSectorSize = 4096 } = description;
  const bytes = Buffer.alloc(65 * KiB);
  const items: [id: string, at: number, length: number, flags: number][] = [
    [GUIDS.fileParameters, ITEMS.fileParameters, 8, 4],
    [GUIDS.virtualDiskSize, ITEMS.size, 8, 6],
    [GUIDS.page83Data, ITEMS.page83, 16, 6],
    [GUIDS.logicalSectorSize, ITEMS.logical, 4, 6],
    [GUIDS.physicalSectorSize, ITEMS.physical, 4, 6],
  ];
  if (hasUnknown) {
    items.push(["89ABCDEF-0123-4567-89AB-CDEF01234567", 64 * KiB + 40, 100, 1]);
  }
  bytes.write("metadata", 0, "latin1");
  bytes.writeUInt16LE(items.length, 10);
  for (const [index, [id, at, length, flags]] of items.entries()) {
    const entryAt = 32 + 32 * index;
    guid(id).copy(bytes, entryAt);
    bytes.writeUInt32LE(at, entryAt + 16);
    bytes.writeUInt32LE(length, entryAt + 20);
    bytes.writeUInt32LE(flags, entryAt + 24);
  }
  bytes.writeUInt32LE(blockSize, ITEMS.fileParameters);
  bytes.writeUInt32LE(isFixed ? 1 : 0, ITEMS.fileParameters + 4);
  bytes.writeBigUInt64LE(BigInt(virtualSize), ITEMS.size);
  guid("BBBBBBBB-CCCC-4DDD-8EEE-FFFFFFFFFFFF").copy(bytes, ITEMS.page83);
  bytes.writeUInt32LE(512, ITEMS.logical);
  bytes.writeUInt32LE(physicalSectorSize, ITEMS.physical);
  return bytes;
}
