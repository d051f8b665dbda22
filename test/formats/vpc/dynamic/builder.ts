/** Makes dynamic VHDs byte by byte from a description, by nothing of `src/`. */

import { BLOCK_SIZE, clusterContent, type GuestContents, guestBytesOf } from "../../guest-contents.ts";
import type { BuiltImage } from "../../kit.ts";
import { buildFooter, type FooterDescription } from "../builder.ts";

const MOST_GUEST = 2 ** 26;

export interface DynamicDescription extends Partial<FooterDescription> {
  /** The current size too, where none is named. */
  readonly virtualSize: number;
  /** Default 4096. */
  readonly blockSize?: number;
  /** Blocks that hold data. */
  readonly data: readonly number[];
  /** What they hold, in place of bytes that tell the block. */
  readonly guest?: Uint8Array;
  /** Of blocks, a permutation: they lie in its order. */
  readonly seed?: number;
  readonly headerOffset?: number;
  readonly batOffset?: number;
  /** Default: as many as the disk needs. */
  readonly maxEntries?: number;
  /** Sectors that nobody has before each block. */
  readonly gap?: number;
  /** Where the first block's own bytes begin, at the least. */
  readonly dataOffset?: number;
  /** Whether a sector is marked as written; default: all are. */
  readonly isWritten?: (block: number, sector: number) => boolean;
  /** Changes the dynamic header before its sum is made. */
  readonly header?: (header: Buffer) => void;
  readonly headerChecksum?: number;
  /** Entries in place of what they would be. */
  readonly entries?: Readonly<Record<number, number>>;
  /** The first sector; default: the footer itself. */
  readonly copy?: Buffer;
  /** What lies at the end; default: the footer itself. */
  readonly ending?: Buffer;
}

export function buildDynamic(description: DynamicDescription): BuiltImage {
  const { virtualSize, blockSize = BLOCK_SIZE, data, seed = 0, gap = 0, headerOffset = 512 } = description;
  const { batOffset = headerOffset + 1024, dataOffset = 0 } = description;
  const entryCount = Math.ceil(virtualSize / blockSize);
  const maxEntries = description.maxEntries ?? entryCount;
  const bitmapSize = Math.ceil(blockSize / 4096 / 512) * 512;
  // Of a disk too large for the memory nobody asks for its bytes.
  const guest = new Uint8Array(virtualSize > MOST_GUEST ? 0 : entryCount * blockSize);
  const contentOf = (block: number) =>
    description.guest?.subarray(block * blockSize, (block + 1) * blockSize) ?? clusterContent(block, blockSize);
  for (const block of data) guest.set(contentOf(block), block * blockSize);
  const footer = buildFooter({ diskType: 3, currentSize: virtualSize, ...description });
  footer.writeBigUInt64BE(BigInt(headerOffset), 16);
  seal(footer, 64, description.checksum);
  const bat = Buffer.alloc(Math.ceil((maxEntries * 4) / 512) * 512, 0xff);
  const blocks: Buffer[] = [];
  let end = Math.max(headerOffset + 1024, batOffset + bat.length);
  end = Math.max(end, dataOffset - bitmapSize);
  const start = end;
  for (const block of shuffled(data, seed)) {
    end += gap * 512;
    bat.writeUInt32BE(end / 512, block * 4);
    const bitmap = Buffer.alloc(bitmapSize, 0xff);
    for (let sector = 0; sector < blockSize / 512; sector++) {
      if (description.isWritten?.(block, sector) === false) {
        bitmap[sector >>> 3] = (bitmap[sector >>> 3] as number) & ~(0x80 >>> (sector & 7));
      }
    }
    blocks.push(Buffer.alloc(gap * 512), bitmap, Buffer.concat([contentOf(block)], blockSize));
    end += bitmapSize + blockSize;
  }
  for (const [block, entry] of Object.entries(description.entries ?? {})) bat.writeUInt32BE(entry, Number(block) * 4);
  const front = Buffer.alloc(start);
  (description.copy ?? footer).copy(front);
  buildHeader(batOffset, maxEntries, blockSize, description).copy(front, headerOffset);
  bat.copy(front, batOffset);
  const bytes = Buffer.concat([front, ...blocks, description.ending ?? footer]);
  return { bytes: new Uint8Array(bytes), guest: guest.slice(0, virtualSize) };
}

function buildHeader(
  batOffset: number,
  maxEntries: number,
  blockSize: number,
  { header: change, headerChecksum }: DynamicDescription,
): Buffer {
  const header = Buffer.alloc(1024);
  header.write("cxsparse", 0, "latin1");
  header.fill(0xff, 8, 16);
  header.writeBigUInt64BE(BigInt(batOffset), 16);
  header.writeUInt32BE(0x10000, 24);
  header.writeUInt32BE(maxEntries, 28);
  header.writeUInt32BE(blockSize, 32);
  change?.(header);
  return seal(header, 36, headerChecksum);
}

/** Puts the right sum in its place, or the one that is wished for. */
export function seal(structure: Buffer, at: number, checksum?: number): Buffer {
  structure.writeUInt32BE(0, at);
  const sum = structure.reduce((all, byte) => all + byte, 0);
  structure.writeUInt32BE(checksum ?? 0xffff_ffff - sum, at);
  return structure;
}

/** Contents as every format is asked for them, in blocks of as many bytes. */
export function buildDynamicOf(contents: GuestContents): BuiltImage {
  const { virtualSize, data } = contents;
  const guest = new Uint8Array(Math.ceil(virtualSize / BLOCK_SIZE) * BLOCK_SIZE);
  guest.set(guestBytesOf(contents));
  return buildDynamic({ virtualSize, data, guest, seed: 5 });
}

function shuffled(blocks: readonly number[], seed: number): readonly number[] {
  if (seed === 0) return blocks;
  const key = (block: number) => (block * 7919 + seed * 104_729) % 1009;
  return blocks.toSorted((a, b) => key(a) - key(b));
}
