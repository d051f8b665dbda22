/** An opened VDI image: its header, its mapping, its check. */

import { isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { brokenMapping } from "../../image/broken-mapping.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, type FindingListener, NOTHING_FOUND } from "../../image/finding.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import { NO_REARRANGEMENT, type Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { type MapScan, scanBlockMap } from "./block-map.ts";
import type { VdiSpecificInfo } from "./details.ts";
import { BLOCK_SIZE, readVdiHeader, type VdiHeader, VdiHeaderFields } from "./header.ts";

class VdiImage implements Image {
  readonly format = "vdi";
  readonly clusterSize = BLOCK_SIZE;
  readonly storage: Storage;
  readonly #header: VdiHeader;
  #scan: Promise<MapScan> | undefined;

  constructor(storage: Storage, header: VdiHeader) {
    this.storage = storage;
    this.#header = header;
  }

  get virtualSize(): number {
    return this.#header.virtualSize;
  }

  get fileSize(): number {
    return this.#header.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, blockCount, dataOffset, mapOffset, mapBytes, hasComment, isStatic } = this.#header;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize: BLOCK_SIZE,
      clustersPerTable: blockCount,
      sharingSize: placeSize(dataOffset),
      usedHeader: RangeSet.of({ start: 0, end: VdiHeaderFields.size }, { start: mapOffset, end: mapOffset + mapBytes }),
      creationOptions: { static: isStatic },
      forgettable: hasComment ? ["the comment in its header"] : [],
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, broken } = await this.#entries();
    if (mapping !== undefined) return mapping;
    const { format, storage } = this;
    const isCut = broken?.severity === "warning";
    const remedy = isCut ? "the file was cut short: restore it from a backup" : "restore it from a backup";
    throw brokenMapping(broken, { format, path: storage.path, remedy });
  }

  /** qemu-img counts what is wrong, and nothing else of this format. */
  async check(onFinding?: FindingListener): Promise<CheckResult> {
    let scan = await this.#entries();
    // Of many findings the first walk kept a part; who listens hears all.
    if (onFinding && scan.findings.findings.length > 0) {
      scan = await scanBlockMap(this.storage, this.#header, onFinding);
    }
    const { corruptions, warnings, findings } = scan.findings;
    return { ...NOTHING_FOUND, corruptions, warnings, findings };
  }

  /** What lies behind the last block goes. */
  async planSettling(): Promise<Rearrangement> {
    const { findings } = await this.#entries();
    const { fileSize, dataOffset, allocatedCount } = this.#header;
    const end = dataOffset + allocatedCount * BLOCK_SIZE;
    const isWrong = findings.corruptions + findings.warnings > 0;
    if (isWrong || end >= fileSize) return { ...NO_REARRANGEMENT, fileSize };
    const epochs = [{ purpose: "cut off what lies behind the last block", fileSize: end }];
    return { epochs, fileSize: end, bytesMoved: 0, bytesWritten: 0 };
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { mapOffset, mapBytes } = this.#header;
    return RangeSet.of({ start: 0, end: VdiHeaderFields.size }, { start: mapOffset, end: mapOffset + mapBytes });
  }

  getSpecificInfo(): VdiSpecificInfo {
    return { format: this.format, clusterSize: BLOCK_SIZE };
  }

  #entries(): Promise<MapScan> {
    this.#scan ??= scanBlockMap(this.storage, this.#header);
    return this.#scan;
  }
}

/** The largest size at multiples of which all blocks begin and end: they lie where the first of them does, which may be any sector. */
function placeSize(dataOffset: number): number {
  let size = SECTOR_SIZE;
  while (size < BLOCK_SIZE && isAligned(dataOffset, 2 * size)) size *= 2;
  return size;
}

export async function openVdi(storage: Storage): Promise<Image> {
  return new VdiImage(storage, await readVdiHeader(storage));
}
