/** The raw driver: the file is the disk. Only when named: no raw image can be told from others. */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { FormatDriver } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { LINEAR_CLUSTER_SIZE, linearMapping, linearOptions } from "../../image/in-one-piece.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { RawSpecificInfo } from "./details.ts";

/** `virtualSize` is the file's length to the byte; QEMU rounds it up to 512 and reads zeros there. */
class RawImage implements Image {
  readonly format = "raw";
  readonly clusterSize = LINEAR_CLUSTER_SIZE;
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
      ...linearOptions(this.format, alignUp(this.fileSize, SECTOR_SIZE), this.fileSize),
      creationOptions: this.fileSize % SECTOR_SIZE === 0 ? {} : { size: this.fileSize },
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= linearMapping(this.storage, this.fileSize);
    return this.#mapping;
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
  onePiece: {},
  open: async ({ main }) => new RawImage(main, await main.size()),
};
