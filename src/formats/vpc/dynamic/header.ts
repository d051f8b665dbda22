/** A dynamic VHD's header: its field table, and every rule that it must keep ("Virtual Hard Disk Image Format Specification", "Dynamic Disk Header Format"). */

import { alignUp, ceilDiv, isAligned, isPowerOfTwo, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { MAX_BITS } from "../../../bytes/bitmap.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { bytes, flags64, struct, u32, u64 } from "../../../bytes/struct.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { ALL_ONES, checksumOf, FOOTER_SIZE, MAX_VIRTUAL_SIZE, VhdFooterFields } from "../footer.ts";
import type { FoundFooter } from "../found-footer.ts";
import { type Refuse, refusalsOf } from "../refusal.ts";
import { chooseSize, choosing } from "../size.ts";
import { type BlockTable, ENTRY_SIZE, guestOf } from "./table.ts";

export const HEADER_SIZE = 1024;
const HEADER_COOKIE = "cxsparse";
/** As everyone has them: right behind the copy of the footer. */
export const HEADER_OFFSET = FOOTER_SIZE;
export const TABLE_OFFSET = HEADER_OFFSET + HEADER_SIZE;
/** The least whose sector bitmap QEMU finds; the specification's own are 512 KiB and 2 MiB. */
const MIN_BLOCK_SIZE = 4 * KiB;
const MAX_BLOCK_SIZE = 256 * MiB;
/** The largest disk has fewer blocks of 128 KiB. */
const MAX_ENTRY_COUNT = 2 ** 24;

export const DynamicHeaderFields = struct(
  "VHD dynamic header",
  "be",
  { at: 0, size: HEADER_SIZE },
  {
    cookie: bytes(0, 8),
    /** All ones: no structure follows. */
    dataOffset: flags64(8),
    tableOffset: u64(16),
    /** The major version in the upper half. */
    version: u32(24),
    /** Of the BAT. */
    maxTableEntries: u32(28),
    blockSize: u32(32),
    checksum: u32(36),
    /** What follows tells of a differencing disk's parent. */
    parentId: bytes(40, 16),
    parentTimestamp: u32(56),
    reserved: u32(60),
    parentName: bytes(64, 512),
    parentLocators: bytes(576, 192),
    reservedToo: bytes(768, 256),
  },
);

export function isBlockSize(size: number): boolean {
  return isPowerOfTwo(size) && size >= MIN_BLOCK_SIZE && size <= MAX_BLOCK_SIZE;
}

/** A bit for each sector of a block, in whole sectors. */
export function bitmapSizeOf(blockSize: number): number {
  return alignUp(blockSize / SECTOR_SIZE / 8, SECTOR_SIZE);
}

/** The bytes of a header that speaks of no parent. */
export function headerOf(table: Readonly<Record<"tableOffset" | "maxTableEntries" | "blockSize", number>>): Uint8Array {
  const header = new Uint8Array(HEADER_SIZE);
  const { parentId, parentName, parentLocators, reservedToo, checksum } = DynamicHeaderFields.fields;
  const none = ({ size }: { readonly size: number }) => new Uint8Array(size);
  const values = {
    ...table,
    cookie: Buffer.from(HEADER_COOKIE),
    dataOffset: ALL_ONES,
    version: 0x0001_0000,
    checksum: 0,
    parentId: none(parentId),
    parentTimestamp: 0,
    reserved: 0,
    parentName: none(parentName),
    parentLocators: none(parentLocators),
    reservedToo: none(reservedToo),
  };
  DynamicHeaderFields.encode(values, header);
  DynamicHeaderFields.encode({ ...values, checksum: checksumOf(header, checksum) }, header);
  return header;
}

/** A dynamic disk that keeps all rules of its footer and its header, with what follows from them. */
export interface DynamicDisk extends BlockTable, FoundFooter {
  readonly headerOffset: number;
  /** Entries that the disk needs. */
  readonly entryCount: number;
  readonly virtualSize: number;
  /** One past the last byte that a block may have: where the footer begins, or the file ends. */
  readonly dataEnd: number;
}

/** Throws ImageError for the first rule that is broken; `sizeFrom` is what the user chose. */
export async function readDynamicDisk(
  main: Storage,
  found: FoundFooter,
  sizeFrom: string | undefined,
): Promise<DynamicDisk> {
  const { footer, fileSize, spoiled } = found;
  const refuse = refusalsOf(main.path, DynamicHeaderFields.name);
  if (ceilDiv(fileSize, SECTOR_SIZE) > MAX_BITS) {
    throw refuse("unsupported", `its file of ${fileSize} bytes is longer than a VHD's table can reach`, 0);
  }
  const hasFooter = spoiled === undefined || spoiled.isCopy || !spoiled.isMissing;
  const dataEnd = hasFooter ? fileSize - FOOTER_SIZE : fileSize;
  const { high, low } = footer.dataOffset;
  const headerOffset = high * 2 ** 32 + low;
  const { dataOffset } = VhdFooterFields.fields;
  if (!isAligned(headerOffset, SECTOR_SIZE) || headerOffset < FOOTER_SIZE || headerOffset + HEADER_SIZE > dataEnd) {
    const because = `its dynamic header at 0x${(BigInt(high) * 2n ** 32n + BigInt(low)).toString(16)} lies where none can be`;
    throw refuse("corrupt", because, found.hostOffset + dataOffset.at);
  }
  const head = await readExactly(main, headerOffset, HEADER_SIZE, DynamicHeaderFields.name);
  const { fields } = DynamicHeaderFields;
  if (Buffer.from(head.subarray(0, 8)).toString("latin1") !== HEADER_COOKIE) {
    throw refuse("corrupt", "its dynamic header does not begin with cxsparse", headerOffset);
  }
  const sum = checksumOf(head, fields.checksum);
  const stored = new DataView(head.buffer).getUint32(fields.checksum.at);
  if (stored !== sum) {
    const because = `the checksum of its dynamic header is ${hex(stored)}, its bytes make ${hex(sum)}`;
    throw refuse("corrupt", because, headerOffset + fields.checksum.at, BY_ITS_WRITER);
  }
  const values = DynamicHeaderFields.parse(head);
  if (values.version >>> 16 !== 1) {
    const because = `version ${hex(values.version)} of its dynamic header is not 0x10000`;
    throw refuse("unsupported", because, headerOffset + fields.version.at);
  }
  const { blockSize, tableOffset: batOffset, maxTableEntries: maxEntryCount } = values;
  if (!isBlockSize(blockSize)) {
    const because = `block size ${blockSize} is no power of two from ${MIN_BLOCK_SIZE} to ${MAX_BLOCK_SIZE}`;
    throw refuse("corrupt", because, headerOffset + fields.blockSize.at);
  }
  const table = { batOffset, blockSize, bitmapSize: bitmapSizeOf(blockSize), maxEntryCount };
  refuseTable(table, { headerOffset, dataEnd }, refuse);
  const virtualSize = await sizeOfDisk(main, found, table, sizeFrom);
  return {
    ...found,
    ...table,
    headerOffset,
    entryCount: ceilDiv(virtualSize, blockSize),
    virtualSize,
    dataEnd,
  };
}

const BY_ITS_WRITER =
  "make a copy of it with the program that wrote it, or with qemu-img convert, which asks for no sum there";

function refuseTable(
  { batOffset, maxEntryCount }: BlockTable,
  { headerOffset, dataEnd }: { readonly headerOffset: number; readonly dataEnd: number },
  refuse: Refuse,
): void {
  const { tableOffset, maxTableEntries } = DynamicHeaderFields.fields;
  const end = batOffset + maxEntryCount * ENTRY_SIZE;
  if (end > dataEnd) {
    const because = `its block allocation table at ${hex(batOffset)} of ${counted(maxEntryCount, "entry", "entries")} ends outside the file`;
    throw refuse("out-of-bounds", because, headerOffset + maxTableEntries.at);
  }
  if (maxEntryCount > MAX_ENTRY_COUNT) {
    const because = `its block allocation table has more than ${MAX_ENTRY_COUNT} entries, ${maxEntryCount}`;
    throw refuse("unsupported", because, headerOffset + maxTableEntries.at);
  }
  const isOnHeader = batOffset < headerOffset + HEADER_SIZE && end > headerOffset;
  if (!isAligned(batOffset, SECTOR_SIZE) || batOffset < FOOTER_SIZE || isOnHeader) {
    const because = `its block allocation table at ${hex(batOffset)} lies where none can be`;
    throw refuse("corrupt", because, headerOffset + tableOffset.at);
  }
}

/** A longer table makes the disk no longer. */
async function sizeOfDisk(
  main: Storage,
  { footer, hostOffset }: FoundFooter,
  table: BlockTable,
  sizeFrom: string | undefined,
): Promise<number> {
  const refuse = refusalsOf(main.path, VhdFooterFields.name);
  const limit = table.maxEntryCount * table.blockSize;
  const limitWords = `its block allocation table reaches to ${limit}`;
  const guest = guestOf(main, table);
  const virtualSize = await chooseSize(footer, sizeFrom, {
    path: main.path,
    footerOffset: hostOffset,
    limit,
    limitWords,
    guest,
  });
  const sizeAt = hostOffset + VhdFooterFields.fields.currentSize.at;
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    throw refuse("corrupt", `its disk of ${virtualSize} bytes is no multiple of 512`, sizeAt);
  }
  if (virtualSize > limit) {
    const hasAnother = sizeFrom === "chs" && footer.currentSize <= limit;
    const because = `its disk has ${virtualSize} bytes, and ${limitWords}`;
    throw refuse("corrupt", because, sizeAt, hasAnother ? choosing("current") : undefined);
  }
  if (virtualSize > MAX_VIRTUAL_SIZE) {
    throw refuse("unsupported", `its disk of ${virtualSize} bytes is larger than 2040 GiB`, sizeAt);
  }
  return virtualSize;
}
