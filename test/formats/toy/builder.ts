/** Makes toys byte by byte from a description, by nothing of `src/`. */

import { seededRandom } from "../../support/random.ts";
import { clusterContent } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";

export interface ToyDescription {
  /** Bytes; default 4096. */
  readonly blockSize?: number;
  /** Bytes of the guest's disk. */
  readonly virtualSize: number;
  /** Blocks that hold data. */
  readonly data: readonly number[];
  /** Shuffles the data in the file; 0 or absent: guest order. */
  readonly seed?: number;
  /** Default before the data. */
  readonly table?: "first" | "last";
  /** Blocks that nothing points at, filled with 0xee, after all others. */
  readonly unused?: number;
  /** Bytes after the last whole block, filled with 0xdd. */
  readonly tail?: number;
  /** Fills the unused bytes of the first block. */
  readonly staleHeaderByte?: number;
}

export interface BuiltToy extends BuiltImage {
  readonly tableOffset: number;
  /** Guest block to host offset. */
  readonly dataOffsets: ReadonlyMap<number, number>;
}

export function buildToy(description: ToyDescription): BuiltToy {
  const { blockSize = 4096, virtualSize, table = "first", unused = 0, tail = 0 } = description;
  const blockCount = Math.ceil(virtualSize / blockSize);
  const tableSize = Math.ceil((blockCount * 8) / blockSize) * blockSize;
  const data = [...description.data];
  const order = description.seed ? seededRandom(description.seed).shuffle(data) : data;
  const firstData = blockSize + (table === "first" ? tableSize : 0);
  const dataEnd = firstData + order.length * blockSize;
  const tableOffset = table === "first" ? blockSize : dataEnd;
  const end = blockSize + tableSize + order.length * blockSize;
  const bytes = Buffer.alloc(end + unused * blockSize + tail, 0xdd);
  bytes.fill(0, 0, end);
  bytes.fill(0xee, end, end + unused * blockSize);
  if (description.staleHeaderByte !== undefined) bytes.fill(description.staleHeaderByte, 32, blockSize);
  bytes.write("TOYIMAGE", 0, "latin1");
  bytes.writeUInt32BE(1, 8);
  bytes.writeUInt32BE(blockSize, 12);
  bytes.writeBigUInt64BE(BigInt(virtualSize), 16);
  bytes.writeBigUInt64BE(BigInt(tableOffset), 24);
  const guest = new Uint8Array(blockCount * blockSize);
  const dataOffsets = new Map<number, number>();
  for (const [at, block] of order.entries()) {
    const hostOffset = firstData + at * blockSize;
    const content = clusterContent(block, blockSize);
    bytes.set(content, hostOffset);
    guest.set(content, block * blockSize);
    bytes.writeBigUInt64BE(BigInt(hostOffset), tableOffset + block * 8);
    dataOffsets.set(block, hostOffset);
  }
  return { bytes: new Uint8Array(bytes), guest: guest.slice(0, virtualSize), tableOffset, dataOffsets };
}
