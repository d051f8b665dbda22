/** An opened Parallels image: its header, its mapping, its check. */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { command, say } from "../../bytes/sentence.ts";
import { brokenMapping } from "../../image/broken-mapping.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, type FindingListener, NOTHING_FOUND } from "../../image/finding.ts";
import type { Repair, RepairWishes } from "../../image/repair.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import { NO_REARRANGEMENT, type Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { type BatScan, scanBat } from "./bat.ts";
import type { ParallelsSpecificInfo } from "./details.ts";
import { InUse, type ParallelsHeader, readParallelsHeader } from "./header.ts";
import { planParallelsRepair } from "./repair.ts";
import { canMake } from "./target.ts";

class ParallelsImage implements Image {
  readonly format = "parallels";
  readonly storage: Storage;
  readonly #header: ParallelsHeader;
  #scanned: BatScan | undefined;
  #scan: Promise<BatScan> | undefined;

  constructor(storage: Storage, header: ParallelsHeader) {
    this.storage = storage;
    this.#header = header;
  }

  get virtualSize(): number {
    return this.#header.virtualSize;
  }

  get clusterSize(): number {
    return this.#header.clusterSize;
  }

  get fileSize(): number {
    return this.#header.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { values, virtualSize, clusterSize, trackSize, placeSize, batEnd, extension } = this.#header;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable: values.batCount,
      bitmapNames: extension?.bitmapNames ?? [],
      sharingSize: placeSize,
      usedHeader: RangeSet.of(
        { start: 0, end: Math.min(batEnd, clusterSize) },
        ...(extension ? [{ start: extension.hostOffset, end: extension.hostOffset + extension.length }] : []),
      ),
      grownEnd: this.#grownEnd(),
      creationOptions: canMake(virtualSize, trackSize) ? { cluster_size: trackSize } : {},
      unclean:
        values.inUse === InUse.open
          ? ["The image is marked as in use: its last writer did not close it; repair it with `check -r all`"]
          : [],
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#entries();
    if (mapping !== undefined) return mapping;
    const { path } = this.storage;
    const isOut = broken?.kind === "entry-out-of-bounds";
    const remedy = isOut
      ? say`repair it first: ${command("check", path, "-r", "all")}`
      : "the file was cut short: restore it from a backup";
    throw brokenMapping(broken, { format: this.format, path, remedy });
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let scan = await this.#entries();
    // Of many findings the first walk kept a part; who listens hears all.
    if (onFinding && scan.findings.findings.length > 0) scan = await scanBat(this.storage, this.#header, onFinding);
    const { corruptions, leaks, warnings, findings } = scan.findings;
    return {
      ...NOTHING_FOUND,
      corruptions,
      leaks,
      warnings,
      findings,
      imageEndOffset: scan.imageEnd,
      totalClusters: this.#header.values.batCount,
      allocatedClusters: scan.allocatedCount,
      fragmentedClusters: scan.fragmentedCount,
    };
  }

  async planRepair(wishes: RepairWishes): Promise<Repair> {
    return planParallelsRepair(this.storage, this.#header, await this.#entries(), wishes);
  }

  /** What lies behind the last track goes; what an extension has may be anywhere. */
  async planSettling(): Promise<Rearrangement> {
    const { mapping, imageEnd } = await this.#entries();
    const { fileSize, dataStart, extension } = this.#header;
    const end = Math.max(imageEnd, dataStart);
    if (mapping === undefined || extension !== undefined || end >= fileSize) return { ...NO_REARRANGEMENT, fileSize };
    const epochs = [{ purpose: "cut off what lies behind the last track", fileSize: end }];
    return { epochs, fileSize: end, bytesMoved: 0, bytesWritten: 0 };
  }

  /** Tracks begin at sectors, so that the rest of the BAT's last one is nobody's. */
  async getMetadataRanges(): Promise<RangeSet> {
    const { batEnd, fileSize, extension } = this.#header;
    const ranges = RangeSet.of({ start: 0, end: Math.min(alignUp(batEnd, SECTOR_SIZE), fileSize) });
    if (extension) ranges.add(extension.hostOffset, extension.hostOffset + extension.length);
    return ranges;
  }

  getSpecificInfo(): ParallelsSpecificInfo {
    return { format: this.format };
  }

  /** QEMU puts a new track behind the last one, wherever the file ends, and takes what it finds there for zeros. */
  #grownEnd(): number {
    const { fileSize, dataStart, trackSize, values } = this.#header;
    // Until the BAT has been read there may be none.
    const freeCount = values.batCount - (this.#scanned?.allocatedCount ?? 0);
    return Math.max(fileSize, dataStart) + freeCount * trackSize;
  }

  #entries(): Promise<BatScan> {
    this.#scan ??= scanBat(this.storage, this.#header).then((scan) => {
      this.#scanned = scan;
      return scan;
    });
    return this.#scan;
  }
}

export async function openParallels(storage: Storage): Promise<Image> {
  return new ParallelsImage(storage, await readParallelsHeader(storage));
}
