/**
 * Sparse VMDKs of one file, made byte by byte from a description and by nothing of `src/`: with grains as they lie, or as a
 * stream that is written from front to end.
 */

import { deflateSync } from "node:zlib";
import { seededRandom } from "../../../support/random.ts";
import { clusterContent } from "../../guest-contents.ts";
import { buildDescriptor, type DescriptorWords } from "../builder.ts";

export interface SparseDescription {
  /** Bytes, a multiple of 512. */
  readonly virtualSize: number;
  /** Grains that hold data, each its own pattern. */
  readonly data?: readonly number[];
  /** Grains that are said to be zeros. */
  readonly zero?: readonly number[];
  /** Bytes; default 4096. */
  readonly grainSize?: number;
  /** Of each table; default 512. */
  readonly entryCount?: number;
  readonly version?: number;
  /** As a stream of compressed grains. */
  readonly isStream?: boolean;
  /** Of a stream: the directory is found by a footer; default true. */
  readonly hasFooter?: boolean;
  /** Of a stream: zlib's level; 0 makes streams that are longer than their grains. */
  readonly level?: number;
  /** Of a stream: of the disk's last grain the disk's bytes alone are stored. */
  readonly hasShortTail?: boolean;
  /** A second directory with tables of its own. */
  readonly isRedundant?: boolean;
  /** Of grains as they lie: sectors by which each is off a multiple of its size. */
  readonly phase?: number;
  /** Grains in another order than the guest's; 0 or absent: in that. */
  readonly seed?: number;
  readonly tables?: "first" | "last";
  readonly descriptor?: DescriptorWords;
  /** One of the files of a disk whose descriptor stands in another: with room for one inside, as QEMU makes it, or with none, as VMware does. */
  readonly isPart?: "room" | "no room";
  /** Bytes cut off the file's end. */
  readonly missing?: number;
}

export interface BuiltSparse {
  readonly bytes: Buffer;
  readonly guest: Uint8Array;
  readonly directoryOffset: number;
  readonly redundantOffset: number;
  /** By index in the directory. */
  readonly tableOffsets: ReadonlyMap<number, number>;
  /** By the guest's grain; of a stream where the marker lies. */
  readonly grainOffsets: ReadonlyMap<number, number>;
}

const SECTOR = 512;
const DESCRIPTOR_SECTORS = 20;
const AT_END = 0xffff_ffff_ffff_ffffn;

export function buildSparse(description: SparseDescription): BuiltSparse {
  const { virtualSize, data = [], zero = [], grainSize = 4096, entryCount = 512, isStream = false } = description;
  const { hasFooter = isStream, isRedundant = false, phase = 0, tables = "first", missing = 0 } = description;
  const file = new Parts();
  file.add(Buffer.alloc(SECTOR));
  const text = buildDescriptor({
    createType: isStream ? "streamOptimized" : "monolithicSparse",
    extents: [`${isStream ? "RDONLY" : "RW"} ${virtualSize / SECTOR} SPARSE "disk.vmdk"`],
    ...description.descriptor,
  });
  if (description.isPart) text.fill(0);
  file.add(Buffer.concat([text, Buffer.alloc(DESCRIPTOR_SECTORS * SECTOR)]).subarray(0, DESCRIPTOR_SECTORS * SECTOR));
  const guest = new Uint8Array(Math.ceil(virtualSize / grainSize) * grainSize);
  for (const grain of data) guest.set(clusterContent(grain, grainSize), grain * grainSize);

  const tableCount = Math.ceil(virtualSize / (grainSize * entryCount));
  const used = [...new Set([...data, ...zero].map((grain) => Math.floor(grain / entryCount)))].sort((a, b) => a - b);
  const tableBytes = entryCount * 4;
  const grainOffsets = new Map<number, number>();
  const tableOffsets = new Map<number, number>();
  const order = seededRandom(description.seed ?? 0);
  const shuffled = (grains: readonly number[]) => (description.seed ? order.shuffle([...grains]) : [...grains]);
  const addGrain = (grain: number) => {
    const content = guest.subarray(grain * grainSize, (grain + 1) * grainSize);
    if (isStream) {
      const isShort = description.hasShortTail && (grain + 1) * grainSize > virtualSize;
      const plain = isShort ? content.subarray(0, virtualSize - grain * grainSize) : content;
      const stream = deflateSync(plain, { level: description.level ?? 6 });
      const marker = Buffer.alloc(12);
      marker.writeBigUInt64LE(BigInt((grain * grainSize) / SECTOR));
      marker.writeUInt32LE(stream.length, 8);
      grainOffsets.set(grain, file.add(Buffer.concat([marker, stream])));
    } else {
      while (file.end % grainSize !== (phase * SECTOR) % grainSize) file.add(Buffer.alloc(SECTOR));
      grainOffsets.set(grain, file.add(content));
    }
  };
  const table = (index: number): Buffer => {
    const bytes = Buffer.alloc(tableBytes);
    for (let entry = 0; entry < entryCount; entry++) {
      const grain = index * entryCount + entry;
      const sector = zero.includes(grain) ? 1 : (grainOffsets.get(grain) ?? 0) / SECTOR;
      bytes.writeUInt32LE(sector, entry * 4);
    }
    return bytes;
  };
  const mark = (type: number, sectors: number) => {
    const marker = Buffer.alloc(SECTOR);
    marker.writeBigUInt64LE(BigInt(sectors));
    marker.writeUInt32LE(type, 12);
    return file.add(marker);
  };
  const directoryFor = (offsets: ReadonlyMap<number, number>): Buffer => {
    const bytes = Buffer.alloc(tableCount * 4);
    for (const [index, offset] of offsets) bytes.writeUInt32LE(offset / SECTOR, index * 4);
    return bytes;
  };

  let directoryOffset = 0;
  let redundantOffset = 0;
  if (isStream) {
    for (const index of used) {
      for (const grain of shuffled(data.filter((each) => Math.floor(each / entryCount) === index))) addGrain(grain);
      mark(1, Math.ceil(tableBytes / SECTOR));
      tableOffsets.set(index, file.add(table(index)));
    }
    mark(2, Math.ceil((tableCount * 4) / SECTOR));
    directoryOffset = file.add(directoryFor(tableOffsets));
  } else {
    const seconds = new Map<number, number>();
    const reserve = () => {
      if (isRedundant) {
        redundantOffset = file.add(Buffer.alloc(tableCount * 4));
        for (const index of used) seconds.set(index, file.add(Buffer.alloc(tableBytes)));
      }
      directoryOffset = file.add(Buffer.alloc(tableCount * 4));
      for (const index of used) tableOffsets.set(index, file.add(Buffer.alloc(tableBytes)));
    };
    if (tables === "first") reserve();
    for (const grain of shuffled(data)) addGrain(grain);
    if (tables === "last") reserve();
    file.put(directoryOffset, directoryFor(tableOffsets));
    for (const [index, offset] of tableOffsets) file.put(offset, table(index));
    if (isRedundant) file.put(redundantOffset, directoryFor(seconds));
    for (const [index, offset] of seconds) file.put(offset, table(index));
  }
  const header = headerOf(description, { directoryOffset, redundantOffset });
  if (isStream && hasFooter) {
    mark(3, 1);
    file.add(header);
    const atEnd = Buffer.from(header);
    atEnd.writeBigUInt64LE(AT_END, 56);
    file.put(0, atEnd);
  } else file.put(0, header);
  if (isStream) mark(0, 0);
  const all = file.bytes();
  const bytes = all.subarray(0, all.length - missing);
  return { bytes, guest: guest.slice(0, virtualSize), directoryOffset, redundantOffset, tableOffsets, grainOffsets };
}

function headerOf(
  { virtualSize, zero = [], grainSize = 4096, entryCount = 512, isStream = false, ...more }: SparseDescription,
  { directoryOffset, redundantOffset }: { readonly directoryOffset: number; readonly redundantOffset: number },
): Buffer {
  const header = Buffer.alloc(SECTOR);
  const hasZeros = zero.length > 0;
  header.write("KDMV", 0, "latin1");
  header.writeUInt32LE(more.version ?? (isStream ? 3 : hasZeros ? 2 : 1), 4);
  const flags = 0x1 | (more.isRedundant ? 0x2 : 0) | (hasZeros ? 0x4 : 0) | (isStream ? 0x3_0000 : 0);
  header.writeUInt32LE(flags, 8);
  header.writeBigUInt64LE(BigInt(virtualSize / SECTOR), 12);
  header.writeBigUInt64LE(BigInt(grainSize / SECTOR), 20);
  if (more.isPart !== "no room") {
    header.writeBigUInt64LE(1n, 28);
    header.writeBigUInt64LE(BigInt(DESCRIPTOR_SECTORS), 36);
  }
  header.writeUInt32LE(entryCount, 44);
  header.writeBigUInt64LE(BigInt(redundantOffset / SECTOR), 48);
  header.writeBigUInt64LE(BigInt(directoryOffset / SECTOR), 56);
  header.writeBigUInt64LE(BigInt(1 + DESCRIPTOR_SECTORS), 64);
  header.write("\n \r\n", 73, "latin1");
  header.writeUInt16LE(isStream ? 1 : 0, 77);
  return header;
}

/** A file that grows sector by sector. */
class Parts {
  readonly #parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  end = 0;

  /** Where they came to lie. */
  add(bytes: Uint8Array): number {
    const at = this.end;
    this.put(at, bytes);
    this.end = Math.ceil((at + bytes.length) / SECTOR) * SECTOR;
    return at;
  }

  put(at: number, bytes: Uint8Array): void {
    this.#parts.push({ at, bytes });
  }

  bytes(): Buffer {
    const all = Buffer.alloc(this.end);
    for (const { at, bytes } of this.#parts) all.set(bytes, at);
    return all;
  }
}
