/** An opened dynamic VHD: its two footers, its header, its blocks and what a check finds of them. */

import { ceilDiv, SECTOR_SIZE } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { brokenMapping } from "../../../image/broken-mapping.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import { type CheckResult, type FindingListener, MAX_FINDINGS } from "../../../image/finding.ts";
import { LINEAR_CLUSTER_SIZE } from "../../../image/in-one-piece.ts";
import type { Repair, RepairWishes } from "../../../image/repair.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../../image/source.ts";
import type { Rearrangement } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";
import type { VpcSpecificInfo } from "../details.ts";
import type { FoundFooter } from "../found-footer.ts";
import { savedStateOf } from "../saved-state.ts";
import { hiddenSectors } from "./bitmaps.ts";
import { type BlockScan, scanBlocks } from "./block-scan.ts";
import { BlockFindings } from "./findings.ts";
import { type DynamicDisk, readDynamicDisk } from "./header.ts";
import { planFooterRepair } from "./repair.ts";
import { planDynamicSettling } from "./settling.ts";
import { entryRuns, UNUSED_ENTRY } from "./table.ts";

class DynamicImage implements Image {
  readonly format = "vpc";
  /** What a target takes as its default. Blocks are large and begin at any sector: each holds whole ones of these. */
  readonly clusterSize: number;
  readonly storage: Storage;
  readonly #disk: DynamicDisk;
  readonly #unshownCount: number;
  #scanned: BlockScan | undefined;
  #scan: Promise<BlockScan> | undefined;

  constructor(storage: Storage, disk: DynamicDisk, unshownCount: number) {
    this.storage = storage;
    this.#disk = disk;
    this.clusterSize = Math.min(disk.blockSize, LINEAR_CLUSTER_SIZE);
    this.#unshownCount = unshownCount;
  }

  get virtualSize(): number {
    return this.#disk.virtualSize;
  }

  get fileSize(): number {
    return this.#disk.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, sector, footer, blockSize, entryCount } = this.#disk;
    const { clusterSize } = this;
    const blocks = `${counted(this.#unshownCount, "block")} that the block allocation table has behind the disk's end`;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable: ceilDiv(entryCount * blockSize, clusterSize),
      sharingSize: SECTOR_SIZE,
      usedHeader: RangeSet.of({ start: 0, end: clusterSize }),
      footer: sector,
      grownEnd: this.#grownEnd(),
      creationOptions: { subformat: "dynamic", force_size: true, block_size: blockSize },
      unclean: savedStateOf(footer),
      forgettable: this.#unshownCount === 0 ? [] : [blocks],
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, findings } = await this.#blocks();
    if (mapping !== undefined) return mapping;
    const { format, storage } = this;
    throw brokenMapping(findings.broken, { format, path: storage.path, kind: "out-of-bounds" });
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let scan = await this.#blocks();
    // Of many findings the first walk kept a part; who listens hears all.
    if (onFinding !== undefined && scan.findings.list.findings.length > 0) {
      scan = await scanBlocks(this.storage, this.#disk, onFinding);
    }
    const more = new BlockFindings(onFinding);
    for await (const { block, guestOffset, bitmapOffset } of hiddenSectors(this.storage, this.#disk, scan)) {
      more.hiddenSector(block, guestOffset, bitmapOffset);
    }
    const { list } = scan.findings;
    return {
      corruptions: list.corruptions,
      leaks: 0,
      checkErrors: 0,
      warnings: list.warnings + more.list.warnings,
      imageEndOffset: scan.end,
      totalClusters: this.#disk.entryCount,
      allocatedClusters: scan.allocatedCount,
      fragmentedClusters: scan.fragmentedCount,
      compressedClusters: 0,
      findings: [...list.findings, ...more.list.findings].slice(0, MAX_FINDINGS),
    };
  }

  async planRepair(wishes: RepairWishes): Promise<Repair> {
    return planFooterRepair(this.#disk, await this.#blocks(), wishes);
  }

  async planSettling(): Promise<Rearrangement> {
    return planDynamicSettling(this.storage, this.#disk, await this.#blocks());
  }

  async getMetadataRanges(): Promise<RangeSet> {
    return (await this.#blocks()).metadata;
  }

  getSpecificInfo(): VpcSpecificInfo {
    return { format: this.format, clusterSize: this.#disk.blockSize };
  }

  /** QEMU puts a new block behind the last one, over the footer, and writes no zeros beside what the guest wrote to it. */
  #grownEnd(): number {
    const { blockSize, bitmapSize, entryCount, fileSize } = this.#disk;
    // Until the table has been read there may be none.
    const freeCount = entryCount - (this.#scanned?.allocatedCount ?? 0);
    return fileSize + freeCount * (bitmapSize + blockSize);
  }

  #blocks(): Promise<BlockScan> {
    this.#scan ??= scanBlocks(this.storage, this.#disk).then((scan) => {
      this.#scanned = scan;
      return scan;
    });
    return this.#scan;
  }
}

export async function openDynamic(main: Storage, found: FoundFooter, sizeFrom: string | undefined): Promise<Image> {
  const disk = await readDynamicDisk(main, found, sizeFrom);
  let unshownCount = 0;
  for await (const { entry, count } of entryRuns(main, disk, disk.entryCount, disk.maxEntryCount)) {
    if (entry !== UNUSED_ENTRY) unshownCount += count;
  }
  return new DynamicImage(main, disk, unshownCount);
}
