/** An opened VHDX: its disk, its mapping, its check (MS-VHDX). */

import { RangeSet } from "../../bytes/range-set.ts";
import { brokenMapping } from "../../image/broken-mapping.ts";
import type { ExtentTable } from "../../image/extent.ts";
import {
  type CheckResult,
  type Finding,
  FindingList,
  type FindingListener,
  MAX_FINDINGS,
  NOTHING_FOUND,
} from "../../image/finding.ts";
import type { Repair } from "../../image/repair.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { VhdxSpecificInfo } from "./details.ts";
import { readVhdxDisk, type VhdxDisk } from "./disk.ts";
import { CLUSTER_SIZE, PLACE_UNIT } from "./header/fields.ts";
import { refuserOf } from "./header/refuse.ts";
import { planVhdxRepair } from "./repair.ts";
import { type BatScan, scanBat } from "./tables/bat-scan.ts";

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
    const { blockSize, isFixed } = this.#disk.parameters;
    return {
      ...DISK_ALONE,
      format,
      virtualSize,
      clusterSize,
      clustersPerTable: 0,
      sharingSize: clusterSize,
      usedHeader: RangeSet.of({ start: 0, end: fileSize }),
      creationOptions: { subformat: isFixed ? "fixed" : "dynamic", block_size: blockSize },
      unclean: this.#disk.replay
        ? ["The image's log has to be replayed: its last writer did not close it; do it with `check -r all`"]
        : [],
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#bat();
    if (mapping !== undefined) return mapping;
    const { format, storage } = this;
    throw brokenMapping(broken, { format, path: storage.path, remedy: "restore it from a backup" });
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    const findings = new FindingList(onFinding);
    if (this.#disk.replay !== undefined) findings.add(notReplayed(this.#disk.header.log.start));
    let scan = await this.#bat();
    // Of many findings the first walk kept a part; who listens hears all.
    if (onFinding !== undefined && scan.findings.findings.length > 0) scan = await this.#readBat(onFinding);
    const { corruptions, warnings } = scan.findings;
    const all = [...findings.findings, ...scan.findings.findings].slice(0, MAX_FINDINGS);
    return { ...NOTHING_FOUND, checkErrors: findings.checkErrors, corruptions, warnings, findings: all };
  }

  /** As for QEMU, whatever is to be mended: before anything else the log is replayed. */
  async planRepair(): Promise<Repair> {
    const { header, replay } = this.#disk;
    if (replay !== undefined) await this.#bat();
    return planVhdxRepair(this.storage.path, header, replay);
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { header, regions } = this.#disk;
    const ranges = RangeSet.of({ start: 0, end: PLACE_UNIT }, header.log, ...regions.all);
    ranges.addAll(this.#disk.replay?.places ?? new RangeSet());
    return ranges;
  }

  getSpecificInfo(): VhdxSpecificInfo {
    return { format: this.format, clusterSize: this.#disk.parameters.blockSize };
  }

  #bat(): Promise<BatScan> {
    this.#scan ??= this.#readBat();
    return this.#scan;
  }

  async #readBat(listener?: FindingListener): Promise<BatScan> {
    const { header, regions, parameters, replay, replayed, fileSize } = this.#disk;
    const facts = { ...parameters, fileSize, bat: regions.bat, places: [header.log, ...regions.all] };
    const scan = await scanBat(replayed, facts, listener);
    if (replay !== undefined) refuseLoggedData(scan, replay.places, this.storage.path, header.log.start);
    return scan;
  }
}

/** Only metadata go through a log: who read a block from the file would not see what is to be written there. */
function refuseLoggedData({ mapping }: BatScan, places: RangeSet, path: string, hostOffset: number): void {
  for (let row = 0; mapping !== undefined && row < mapping.count; row++) {
    const start = mapping.hostOffset[row] as number;
    if (start < 0 || !places.intersects(start, start + (mapping.length[row] as number))) continue;
    throw refuserOf(path)("unsupported", "its log writes into the guest's data", "log", hostOffset);
  }
}

/** QEMU checks no such image: it only says what to do. */
function notReplayed(hostOffset: number): Finding {
  const message = "The log has to be replayed: the image's last writer did not close it";
  return { severity: "error", kind: "log-not-replayed", structure: "log", hostOffset, message };
}

export async function openVhdx(storage: Storage): Promise<Image> {
  return new VhdxImage(storage, await readVhdxDisk(storage));
}
