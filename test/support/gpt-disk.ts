/** Disks with a GPT, built byte by byte, and a strict reader of them; by nothing of src/. */

import { crc32 } from "node:zlib";

export interface GptDisk {
  readonly sectorSize?: 512 | 4096;
  /** Of the disk, in its sectors. */
  readonly sectors?: number;
  readonly entryCount?: number;
  readonly entrySize?: number;
  readonly entriesLba?: number;
  /** Default: the first after the entries. */
  readonly firstUsable?: number;
  /** First and last sector; undefined leaves an entry unused. */
  readonly partitions?: readonly (readonly [first: number, last: number] | undefined)[];
  readonly headerSize?: number;
}

export interface PartitionTable {
  readonly guid: string;
  readonly firstUsable: number;
  readonly lastUsable: number;
  readonly entries: Buffer;
}

/** The whole disk; the sectors of each partition are filled with its number. */
export function gptDisk(layout: GptDisk = {}): Buffer {
  const { sectorSize = 512, sectors = 256, entryCount = 128, entrySize = 128, entriesLba = 2 } = layout;
  const { partitions = [], headerSize = 92 } = layout;
  const length = Math.ceil((entryCount * entrySize) / sectorSize);
  const { firstUsable = entriesLba + length } = layout;
  const disk = Buffer.alloc(sectors * sectorSize);
  const last = sectors - 1;
  const lastUsable = last - length - 1;
  protect(disk, last);
  const entries = Buffer.alloc(entryCount * entrySize);
  for (const [index, partition] of partitions.entries()) {
    if (partition === undefined) continue;
    const at = index * entrySize;
    entries.write("0FC63DAF84834772", at, "latin1");
    entries.writeUInt32LE(index + 1, at + 16);
    entries.writeBigUInt64LE(BigInt(partition[0]), at + 32);
    entries.writeBigUInt64LE(BigInt(partition[1]), at + 40);
    entries.write(`part ${index}`, at + 56, "utf16le");
    disk.fill(index + 1, partition[0] * sectorSize, (partition[1] + 1) * sectorSize);
  }
  for (const [mine, other, place] of [
    [1, last, entriesLba],
    [last, 1, last - length],
  ] as const) {
    entries.copy(disk, place * sectorSize);
    const at = mine * sectorSize;
    disk.write("EFI PART", at, "latin1");
    disk.writeUInt32LE(0x10000, at + 8);
    disk.writeUInt32LE(headerSize, at + 12);
    for (const [field, value] of [
      [24, mine],
      [32, other],
      [40, firstUsable],
      [48, lastUsable],
      [72, place],
    ] as const) {
      disk.writeBigUInt64LE(BigInt(value), at + field);
    }
    disk.write("sixteen bytes id", at + 56, "latin1");
    disk.writeUInt32LE(entryCount, at + 80);
    disk.writeUInt32LE(entrySize, at + 84);
    disk.writeUInt32LE(crc32(entries), at + 88);
    signHeader(disk, at);
  }
  return disk;
}

/** Puts the sum right of the header that begins at `at`. */
export function signHeader(disk: Buffer, at: number): void {
  disk.writeUInt32LE(0, at + 16);
  const size = disk.readUInt32LE(at + 12);
  disk.writeUInt32LE(crc32(disk.subarray(at, at + size)), at + 16);
}

/** Puts the sum of the primary's entries right, and the header's. */
export function signEntries(disk: Buffer, at: number, sectorSize = 512): void {
  const start = Number(disk.readBigUInt64LE(at + 72)) * sectorSize;
  const length = disk.readUInt32LE(at + 80) * disk.readUInt32LE(at + 84);
  disk.writeUInt32LE(crc32(disk.subarray(start, start + length)), at + 88);
  signHeader(disk, at);
}

/** A record of the MBR: type, first sector, how many. */
export function mbrRecord(disk: Buffer, index: number, type: number, start: number, size: number): void {
  const at = 446 + 16 * index;
  disk[at + 4] = type;
  disk.writeUInt32LE(start, at + 8);
  disk.writeUInt32LE(size, at + 12);
}

function protect(disk: Buffer, last: number): void {
  disk.write("boot code", 0, "latin1");
  mbrRecord(disk, 0, 0xee, 1, last);
  disk.fill(0xff, 451, 454);
  disk.writeUInt16LE(0xaa55, 510);
}

/** What the header in sector `lba` says; throws unless it and its entries are whole and it knows its place. */
export function tableAt(disk: Buffer, lba: number, sectorSize = 512): PartitionTable & { readonly alternate: number } {
  const header = Buffer.from(disk.subarray(lba * sectorSize, (lba + 1) * sectorSize));
  const number = (at: number) => Number(header.readBigUInt64LE(at));
  const sum = header.readUInt32LE(16);
  header.writeUInt32LE(0, 16);
  if (header.toString("latin1", 0, 8) !== "EFI PART") throw new Error(`no header in sector ${lba}`);
  if (crc32(header.subarray(0, header.readUInt32LE(12))) !== sum) throw new Error(`wrong sum in sector ${lba}`);
  if (number(24) !== lba) throw new Error(`header of sector ${number(24)} in sector ${lba}`);
  const length = header.readUInt32LE(80) * header.readUInt32LE(84);
  const start = number(72);
  const end = start + Math.ceil(length / sectorSize);
  const entries = Buffer.from(disk.subarray(start * sectorSize, start * sectorSize + length));
  if (crc32(entries) !== header.readUInt32LE(88)) throw new Error(`wrong sum of the entries of sector ${lba}`);
  const [firstUsable, lastUsable] = [number(40), number(48)];
  const isOutside = lba === 1 ? start >= 2 && end <= firstUsable : start > lastUsable && end <= lba;
  if (!isOutside) throw new Error(`entries in the wrong place: ${start}`);
  return { guid: header.toString("hex", 56, 72), firstUsable, lastUsable, entries, alternate: number(32) };
}

/** The disk's table, when primary and backup are whole, in their places and say the same; throws if not. */
export function wholeGpt(disk: Buffer, sectorSize = 512): PartitionTable {
  const last = disk.length / sectorSize - 1;
  const { alternate, ...primary } = tableAt(disk, 1, sectorSize);
  const { alternate: first, ...backup } = tableAt(disk, last, sectorSize);
  if (alternate !== last || first !== 1) throw new Error(`the headers point at ${alternate} and ${first}, not ${last}`);
  if (JSON.stringify(primary) !== JSON.stringify(backup)) throw new Error("primary and backup differ");
  if (primary.lastUsable >= last) throw new Error(`usable up to ${primary.lastUsable} of ${last}`);
  return primary;
}

/** The disk as a reader that refuses to be asked for what lies past its end. */
export function guestOf(disk: Buffer): { read(guestOffset: number, into: Uint8Array): Promise<void> } {
  return {
    async read(guestOffset, into) {
      if (guestOffset < 0 || guestOffset + into.length > disk.length) throw new Error("read past the end");
      into.set(disk.subarray(guestOffset, guestOffset + into.length));
    },
  };
}

/** A copy with `newSize` bytes; what is added is zeros. */
export function grown(disk: Buffer, newSize: number): Buffer {
  return Buffer.concat([disk, Buffer.alloc(newSize - disk.length)]);
}

interface Patch {
  readonly guestOffset: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** A copy with the patches in it; throws where one of them doesn't know what was there. */
export function patched(disk: Buffer, patches: readonly Patch[]): Buffer {
  const copy = Buffer.from(disk);
  for (const { guestOffset, before, after } of patches) {
    const end = guestOffset + after.length;
    if (!copy.subarray(guestOffset, end).equals(before)) throw new Error(`another content at ${guestOffset}`);
    copy.set(after, guestOffset);
  }
  return copy;
}
