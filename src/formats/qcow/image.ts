/** An opened qcow image: its header, its mapping, its check. */

import { hex } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { brokenMapping } from "../../image/broken-mapping.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import type { Rearranger } from "../../image/rearranger.ts";
import { type BackingFile, type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { QcowSpecificInfo } from "./details.ts";
import { ENTRY_SIZE, MAX_CLUSTER_BITS, type QcowHeader, readQcowHeader } from "./header.ts";
import { cannotRearrange, QcowRearranger } from "./rearranger.ts";
import { metadataRanges, type QcowScan, scanTables } from "./scan.ts";

export class QcowImage implements Image {
  readonly format = "qcow";
  readonly storage: Storage;
  readonly header: QcowHeader;
  #scanning: Promise<QcowScan> | undefined;
  #scan: QcowScan | undefined;

  constructor(storage: Storage, header: QcowHeader) {
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
    const { virtualSize, clusterSize, l2EntryCount, isEncrypted } = this.header;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable: l2EntryCount,
      backing: this.#backing(),
      encryption: isEncrypted ? "aes" : undefined,
      // Clusters lie at any sector.
      sharingSize: 512,
      compression: "zlib",
      usedHeader: this.#usedHeader(),
      creationOptions: { cluster_size: clusterSize, l2_bits: Math.log2(l2EntryCount) },
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#tables();
    if (mapping !== undefined) return mapping;
    const { format, storage } = this;
    const remedy = "make a copy of what can be read with qemu-img convert, or restore it from a backup";
    throw brokenMapping(broken, { format, path: storage.path, remedy });
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let scan = await this.#tables();
    // Of many findings the first walk kept a part; who listens hears all.
    const isTold = onFinding !== undefined && scan.findings.findings.length > 0;
    if (isTold) scan = await scanTables(this.storage, this.header, onFinding);
    const { corruptions, leaks, findings } = scan.findings;
    return {
      corruptions,
      leaks,
      checkErrors: 0,
      warnings: 0,
      imageEndOffset: scan.places.end,
      totalClusters: Math.ceil(this.virtualSize / this.clusterSize),
      allocatedClusters: scan.allocatedCount,
      fragmentedClusters: scan.fragmentedCount,
      compressedClusters: scan.compressedCount,
      findings,
    };
  }

  async getMetadataRanges(): Promise<RangeSet> {
    return RangeSet.of(...metadataRanges(this.header, await this.#tables()));
  }

  getSpecificInfo(): QcowSpecificInfo {
    return { format: "qcow", clusterSize: this.clusterSize };
  }

  async openRearranger(alignment?: number): Promise<Rearranger> {
    const { path } = this.storage;
    const copy = "make a copy with qemu-img convert";
    if (this.header.isEncrypted) throw cannotRearrange("unsupported", path, "it is encrypted", undefined, copy);
    const scan = await this.#tables();
    const wrong = scan.findings.findings.find(({ severity }) => severity !== "leak");
    if (wrong) throw cannotRearrange("corrupt", path, wrong.message, wrong.hostOffset, copy);
    const { l1Offset } = this.header;
    const straddling =
      l1Offset % ENTRY_SIZE === 0 ? scan.tables.hostOffset.find((at) => at % ENTRY_SIZE !== 0) : l1Offset;
    if (straddling !== undefined) {
      const because = `the table at host offset ${hex(straddling)} lies at no multiple of 8: an entry in two sectors can be torn`;
      throw cannotRearrange("unsupported", path, because, straddling, copy);
    }
    return new QcowRearranger(this.storage, this.header, scan, alignment);
  }

  #tables(): Promise<QcowScan> {
    this.#scanning ??= scanTables(this.storage, this.header).then((scan) => {
      this.#scan = scan;
      return scan;
    });
    return this.#scanning;
  }

  /** Tables may lie anywhere, right behind the header too: before they are known, nothing there is free. */
  #usedHeader(): RangeSet {
    const end = 2 ** MAX_CLUSTER_BITS;
    if (this.#scan === undefined) return RangeSet.of({ start: 0, end });
    return RangeSet.of(...metadataRanges(this.header, this.#scan)).clippedTo(0, end);
  }

  #backing(): BackingFile | undefined {
    const { backingName, backingNameOffset } = this.header;
    if (backingName === undefined) return undefined;
    const name = new TextDecoder().decode(backingName);
    return { nameBytes: backingName, name, format: undefined, hostOffset: backingNameOffset };
  }
}

export async function openQcow(storage: Storage): Promise<QcowImage> {
  return new QcowImage(storage, await readQcowHeader(storage));
}
