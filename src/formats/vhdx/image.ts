/** An opened VHDX: its disk, its mapping, its check (MS-VHDX). */

import { KiB } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import { NOTHING_FOUND } from "../../image/finding.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { VhdxSpecificInfo } from "./details.ts";
import { readVhdxDisk, type VhdxDisk } from "./disk.ts";
import { PLACE_UNIT } from "./header/fields.ts";
import { brokenMapping } from "./tables/bat-findings.ts";
import { type BatScan, scanBat } from "./tables/bat-scan.ts";

/**
 * Blocks have 1 MiB and more, and all that has a place lies at multiples of one. A target takes this as its default: tables
 * of clusters as large as a block would be more to write than to gain.
 */
const CLUSTER_SIZE = 64 * KiB;

class VhdxImage implements Image {
  readonly format = "vhdx";
  readonly storage: Storage;
  readonly clusterSize = CLUSTER_SIZE;
  readonly #disk: VhdxDisk;
  #scan: Promise<BatScan> | undefined;

  constructor(storage: Storage, disk: VhdxDisk) {
    this.storage = storage;
    this.#disk = disk;
  }

  get virtualSize(): number {
    return this.#disk.parameters.virtualSize;
  }

  get fileSize(): number {
    return this.#disk.header.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { format, virtualSize, clusterSize, fileSize } = this;
    return {
      ...DISK_ALONE,
      format,
      virtualSize,
      clusterSize,
      clustersPerTable: 0,
      sharingSize: clusterSize,
      usedHeader: RangeSet.of({ start: 0, end: fileSize }),
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#bat();
    if (mapping !== undefined) return mapping;
    throw brokenMapping(broken as NonNullable<typeof broken>, this.storage.path);
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let { findings } = await this.#bat();
    // Of many findings the first walk kept a part; who listens hears all.
    if (onFinding !== undefined && findings.findings.length > 0) ({ findings } = await this.#readBat(onFinding));
    const { corruptions, warnings } = findings;
    return { ...NOTHING_FOUND, corruptions, warnings, findings: findings.findings };
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { header, regions } = this.#disk;
    return RangeSet.of({ start: 0, end: PLACE_UNIT }, header.log, ...regions.all);
  }

  getSpecificInfo(): VhdxSpecificInfo {
    return { format: this.format, clusterSize: this.#disk.parameters.blockSize };
  }

  #bat(): Promise<BatScan> {
    this.#scan ??= this.#readBat();
    return this.#scan;
  }

  #readBat(listener?: FindingListener): Promise<BatScan> {
    const { header, regions, parameters } = this.#disk;
    const facts = { ...parameters, fileSize: this.fileSize, bat: regions.bat, places: [header.log, ...regions.all] };
    return scanBat(this.storage, facts, listener);
  }
}

export async function openVhdx(storage: Storage): Promise<Image> {
  return new VhdxImage(storage, await readVhdxDisk(storage));
}
