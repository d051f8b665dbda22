/** One walk over a dynamic VHD's BAT: the mapping, what of the file is metadata, and which blocks lie where none can. */

import { alignUp, ceilDiv, SECTOR_SIZE } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../image/extent.ts";
import type { FindingListener } from "../../../image/finding.ts";
import type { Storage } from "../../../storage/storage.ts";
import { FOOTER_SIZE } from "../footer.ts";
import { BlockFindings } from "./findings.ts";
import { type DynamicDisk, HEADER_SIZE } from "./header.ts";
import { ENTRY_SIZE, type EntryRun, entryRuns, UNUSED_ENTRY } from "./table.ts";

export interface BlockScan {
  /** Undefined where an entry can't be followed. */
  readonly mapping: ExtentTable | undefined;
  readonly metadata: RangeSet;
  readonly findings: BlockFindings;
  /** Blocks that have a place of their own, in the guest's order, with where their bitmaps lie: no more than the file has room for. */
  readonly blocks: readonly number[];
  readonly bitmapOffsets: readonly number[];
  readonly allocatedCount: number;
  readonly fragmentedCount: number;
  /** One past the last byte that is the image's. */
  readonly end: number;
}

export async function scanBlocks(storage: Storage, disk: DynamicDisk, listener?: FindingListener): Promise<BlockScan> {
  const scanner = new BlockScanner(disk, listener);
  for await (const run of entryRuns(storage, disk, 0, disk.entryCount)) scanner.add(run);
  return scanner.finish();
}

class BlockScanner {
  readonly #disk: DynamicDisk;
  readonly #findings: BlockFindings;
  readonly #mapping = new ExtentTableBuilder();
  readonly #metadata = new RangeSet();
  /** What no block may lie on. */
  readonly #fixed: RangeSet;
  readonly #taken: Bitmap;
  readonly #blocks: number[] = [];
  readonly #bitmapOffsets: number[] = [];
  #allocatedCount = 0;
  #fragmentedCount = 0;
  #nextHostOffset: number | undefined;
  #end: number;

  constructor(disk: DynamicDisk, listener: FindingListener | undefined) {
    this.#disk = disk;
    this.#findings = new BlockFindings(listener);
    const { headerOffset, batOffset, maxEntryCount, dataEnd, fileSize, spoiled } = disk;
    if (spoiled !== undefined) this.#findings.spoiledFooter(spoiled);
    this.#fixed = RangeSet.of(
      { start: 0, end: FOOTER_SIZE },
      { start: headerOffset, end: headerOffset + HEADER_SIZE },
      { start: batOffset, end: alignUp(batOffset + maxEntryCount * ENTRY_SIZE, SECTOR_SIZE) },
      { start: dataEnd, end: fileSize },
    );
    this.#metadata.addAll(this.#fixed);
    this.#end = this.#fixed.end;
    this.#taken = new Bitmap(ceilDiv(fileSize, SECTOR_SIZE));
  }

  add({ block, count, entry }: EntryRun): void {
    const { blockSize, virtualSize } = this.#disk;
    const guestOffset = block * blockSize;
    if (entry === UNUSED_ENTRY) {
      this.#append(Math.min(count * blockSize, virtualSize - guestOffset), ExtentState.unallocated);
      return;
    }
    this.#addBlock(block, entry);
    // The same place again: none of them is followed further.
    if (count > 1) this.#repeat(block + 1, count - 1, entry);
  }

  finish(): BlockScan {
    const isBroken = this.#findings.broken !== undefined;
    return {
      mapping: isBroken ? undefined : this.#mapping.finish(this.#disk.virtualSize),
      metadata: this.#metadata,
      findings: this.#findings,
      blocks: this.#blocks,
      bitmapOffsets: this.#bitmapOffsets,
      allocatedCount: this.#allocatedCount,
      fragmentedCount: this.#fragmentedCount,
      end: this.#end,
    };
  }

  #addBlock(block: number, entry: number): void {
    const { blockSize, bitmapSize, virtualSize, dataEnd } = this.#disk;
    const guestOffset = block * blockSize;
    const bitmapOffset = entry * SECTOR_SIZE;
    const hostOffset = bitmapOffset + bitmapSize;
    this.#allocatedCount++;
    if (this.#nextHostOffset !== undefined && bitmapOffset !== this.#nextHostOffset) this.#fragmentedCount++;
    this.#nextHostOffset = hostOffset + blockSize;
    // Whole, also where the disk ends inside it: so QEMU wants it.
    if (hostOffset + blockSize > dataEnd) {
      this.#findings.outOfBounds(block, 1, guestOffset, bitmapOffset, dataEnd);
      return;
    }
    this.#append(Math.min(blockSize, virtualSize - guestOffset), ExtentState.data, hostOffset);
    const already = this.#taken.mark(entry, (bitmapSize + blockSize) / SECTOR_SIZE);
    if (this.#fixed.intersects(bitmapOffset, hostOffset + blockSize)) {
      this.#findings.overlap(block, 1, guestOffset, bitmapOffset, "footer, header or block allocation table");
    } else if (already > 0) {
      this.#findings.overlap(block, 1, guestOffset, bitmapOffset, "what another block has");
    } else {
      this.#blocks.push(block);
      this.#bitmapOffsets.push(bitmapOffset);
      this.#metadata.add(bitmapOffset, hostOffset);
      this.#end = Math.max(this.#end, hostOffset + blockSize);
    }
  }

  #repeat(block: number, count: number, entry: number): void {
    const { blockSize, bitmapSize, virtualSize, dataEnd } = this.#disk;
    const bitmapOffset = entry * SECTOR_SIZE;
    const guestOffset = block * blockSize;
    this.#allocatedCount += count;
    this.#fragmentedCount += count;
    if (bitmapOffset + bitmapSize + blockSize > dataEnd) {
      this.#findings.outOfBounds(block, count, guestOffset, bitmapOffset, dataEnd);
      return;
    }
    this.#findings.overlap(block, count, guestOffset, bitmapOffset, "what another block has");
    for (let index = 0; index < count; index++) {
      const start = guestOffset + index * blockSize;
      this.#append(Math.min(blockSize, virtualSize - start), ExtentState.data, bitmapOffset + bitmapSize);
    }
  }

  #append(length: number, state: ExtentState, hostOffset?: number): void {
    if (this.#findings.broken === undefined) this.#mapping.append(length, state, hostOffset);
  }
}
