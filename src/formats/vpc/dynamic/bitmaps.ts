/**
 * The sector bitmap before each block: a bit for each of its sectors, the highest of a byte first, 0 where nothing was
 * written. QEMU passes them over; libvhdi, asked, shows zeros where one says so. So where data lies under a 0 there are two disks.
 */

import { MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { readAhead } from "../../../image/guest/read-ahead.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import type { BlockScan } from "./block-scan.ts";
import type { DynamicDisk } from "./header.ts";

const READS_AHEAD = 8;

export interface HiddenSector {
  readonly block: number;
  readonly bitmapOffset: number;
  readonly guestOffset: number;
}

/** Of each block the first such sector: reads all bitmaps, and of the data what they say is none. */
export async function* hiddenSectors(
  storage: Storage,
  disk: DynamicDisk,
  { blocks, bitmapOffsets }: Pick<BlockScan, "blocks" | "bitmapOffsets">,
): AsyncGenerator<HiddenSector> {
  const start = (index: number) => firstHidden(storage, disk, blocks[index] as number, bitmapOffsets[index] as number);
  for await (const { job, result } of readAhead(blocks.keys(), READS_AHEAD, start)) {
    if (result === undefined) continue;
    yield { block: blocks[job] as number, bitmapOffset: bitmapOffsets[job] as number, guestOffset: result };
  }
}

async function firstHidden(
  storage: Storage,
  { blockSize, bitmapSize, virtualSize }: DynamicDisk,
  block: number,
  bitmapOffset: number,
): Promise<number | undefined> {
  const bitmap = await readExactly(storage, bitmapOffset, bitmapSize, `sector bitmap ${block}`);
  const sectorCount = Math.min(blockSize, virtualSize - block * blockSize) / SECTOR_SIZE;
  const isWritten = (sector: number) => (((bitmap[sector >>> 3] as number) >>> (7 - (sector % 8))) & 1) === 1;
  for (let first = 0; first < sectorCount; ) {
    if (isWritten(first)) {
      first += first % 8 === 0 && bitmap[first >>> 3] === 0xff ? 8 : 1;
      continue;
    }
    let end = first + 1;
    while (end < sectorCount && end - first < MiB / SECTOR_SIZE && !isWritten(end)) end++;
    const hostOffset = bitmapOffset + bitmapSize + first * SECTOR_SIZE;
    const bytes = await readExactly(storage, hostOffset, (end - first) * SECTOR_SIZE, `block ${block}`);
    const at = bytes.findIndex((byte) => byte !== 0);
    if (at >= 0) return block * blockSize + (first + Math.floor(at / SECTOR_SIZE)) * SECTOR_SIZE;
    first = end;
  }
  return undefined;
}
