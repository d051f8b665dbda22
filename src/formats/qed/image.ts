/** An opened QED image: its header, its mapping, its check (QED specification). */

import { RangeSet } from "../../bytes/range-set.ts";
import { hasFlag, setBits } from "../../bytes/struct.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import type { Repair, RepairWishes } from "../../image/repair.ts";
import type { BackingFile, ConversionOptions, Image } from "../../image/source.ts";
import { DISK_ALONE } from "../../image/source.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { checkResult } from "./check.ts";
import type { QedSpecificInfo } from "./details.ts";
import { QedFeature, type QedHeader, QedHeaderFields, readQedHeader } from "./header/header.ts";
import { planSettling } from "./rearrange/settle.ts";
import { planQedRepair } from "./repair.ts";
import { brokenMapping } from "./tables/table-findings.ts";
import { scanTables, type TableScan } from "./tables/table-scan.ts";

export class QedImage implements Image {
  readonly format = "qed";
  readonly storage: Storage;
  readonly header: QedHeader;
  #scan: Promise<TableScan> | undefined;

  constructor(storage: Storage, header: QedHeader) {
    this.storage = storage;
    this.header = header;
  }

  get virtualSize(): number {
    return this.header.virtualSize;
  }

  get clusterSize(): number {
    return this.header.clusterSize;
  }

  get fileSize(): number {
    return this.header.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { values, virtualSize, clusterSize } = this.header;
    const unknownAutoclear = setBits(values.autoclearFeatures).map((bit) => `unknown autoclear feature bit ${bit}`);
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable: this.header.entryCount,
      backing: this.#backing(),
      unknownAutoclear,
      sharingSize: clusterSize,
      usedHeader: this.#usedHeader(),
      creationOptions: { cluster_size: clusterSize, table_size: values.tableSize },
      unclean: this.isMarkedForCheck
        ? ["The image is marked NEED_CHECK: its last writer did not close it; repair it with `check -r all`"]
        : [],
      forgettable: [
        ...setBits(values.compatibleFeatures).map((bit) => `unknown compatible feature bit ${bit}`),
        ...unknownAutoclear,
      ],
    };
  }

  get isMarkedForCheck(): boolean {
    return hasFlag(this.header.values.features, QedFeature.needCheck);
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#tables();
    if (mapping !== undefined) return mapping;
    throw brokenMapping(broken, this.storage.path);
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let scan = await this.#tables();
    // Of many findings the first walk kept a part; who listens hears all.
    const isTold = onFinding !== undefined && scan.findings.findings.length > 0;
    if (isTold) scan = await scanTables(this.storage, this.header, onFinding);
    return checkResult(this.header, scan, this.isMarkedForCheck, onFinding);
  }

  async planRepair(wishes: RepairWishes): Promise<Repair> {
    return planQedRepair(this.storage, this.header, await this.#tables(), wishes);
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { headerBytes, l1Offset, tableBytes } = this.header;
    const ranges = RangeSet.of({ start: 0, end: headerBytes }, { start: l1Offset, end: l1Offset + tableBytes });
    for (const { hostOffset } of (await this.#tables()).l2Tables) ranges.add(hostOffset, hostOffset + tableBytes);
    return ranges;
  }

  getSpecificInfo(): QedSpecificInfo {
    return { format: "qed", clusterSize: this.clusterSize };
  }

  /** Reads the tables anew where need be; throws ImageError `corrupt` for an image that is not clean but for leaks. */
  async planSettling(): Promise<Rearrangement> {
    return planSettling(this.storage, this.header, await this.#tables());
  }

  #tables(): Promise<TableScan> {
    this.#scan ??= scanTables(this.storage, this.header);
    return this.#scan;
  }

  #usedHeader(): RangeSet {
    const used = RangeSet.of({ start: 0, end: QedHeaderFields.size });
    const { backingName, values } = this.header;
    if (backingName !== undefined) used.add(values.backingNameOffset, values.backingNameOffset + backingName.length);
    return used;
  }

  #backing(): BackingFile | undefined {
    const { backingName, values } = this.header;
    if (backingName === undefined) return undefined;
    return {
      nameBytes: backingName,
      name: new TextDecoder().decode(backingName),
      format: hasFlag(values.features, QedFeature.backingFormatNoProbe) ? "raw" : undefined,
      hostOffset: values.backingNameOffset,
    };
  }
}

export async function openQed(storage: Storage): Promise<QedImage> {
  return new QedImage(storage, await readQedHeader(storage));
}
