/** The raw driver: the file is the disk. Only when named: no raw image can be told from others. */

import { alignUp, KiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { FormatDriver } from "../../image/driver.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../image/extent.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import { DISK_ALONE } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { RawSpecificInfo } from "./details.ts";
import { rawTarget } from "./target.ts";

/** raw has no clusters; this is what a target takes as its default. */
const CLUSTER_SIZE = 64 * KiB;

/** `virtualSize` is the file's length to the byte; QEMU rounds it up to 512 and reads zeros there. */
class RawImage implements Image {
  readonly format = "raw";
  readonly clusterSize = CLUSTER_SIZE;
  readonly storage: Storage;
  readonly fileSize: number;

  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: Storage, fileSize: number) {
    this.storage = storage;
    this.fileSize = fileSize;
  }

  get virtualSize(): number {
    return this.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize: alignUp(this.fileSize, SECTOR_SIZE),
      clusterSize: this.clusterSize,
      clustersPerTable: 0,
      sharingSize: this.clusterSize,
      usedHeader: this.#all(),
      linearBase: 0,
      creationOptions: this.fileSize % SECTOR_SIZE === 0 ? {} : { size: this.fileSize },
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= this.#map();
    return this.#mapping;
  }

  /** A hole is zeros that have their place. Where the host tells of none, all is data. */
  async #map(): Promise<ExtentTable> {
    const data = await this.storage.dataRanges?.();
    const extents = new ExtentTableBuilder();
    for (const { start, end } of (data ?? this.#all()).clippedTo(0, this.fileSize).each()) {
      extents.append(start - extents.end, ExtentState.zero, extents.end);
      extents.append(end - start, ExtentState.data, start);
    }
    extents.append(this.fileSize - extents.end, ExtentState.zero, extents.end);
    return extents.finish(this.fileSize);
  }

  #all(): RangeSet {
    return RangeSet.of({ start: 0, end: this.fileSize });
  }

  async getMetadataRanges(): Promise<RangeSet> {
    return new RangeSet();
  }

  getSpecificInfo(): RawSpecificInfo {
    return { format: this.format };
  }
}

export const rawDriver: FormatDriver = {
  name: "raw",
  aliases: [],
  extensions: [".raw", ".img"],
  marks: [],
  guestAt: "everywhere",
  isInOnePiece: true,
  open: async ({ main }) => new RawImage(main, await main.size()),
  target: rawTarget,
};
