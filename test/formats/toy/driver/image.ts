/** An opened toy: its header and its mapping. It has no check: what a format lacks is absent. */

import { RangeSet } from "../../../../src/bytes/range-set.ts";
import type { ExtentTable } from "../../../../src/image/extent.ts";
import type { ConversionOptions, Image } from "../../../../src/image/source.ts";
import { DISK_ALONE } from "../../../../src/image/source.ts";
import type { SpecificInfo } from "../../../../src/image/specific-info.ts";
import type { Storage } from "../../../../src/storage/storage.ts";
import { readToyHeader, type ToyHeader, ToyHeaderFields, tableSizeFor } from "./header.ts";
import { readToyTable } from "./table.ts";

class ToyImage implements Image {
  readonly format = "toy";
  readonly storage: Storage;
  readonly #header: ToyHeader;
  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: Storage, header: ToyHeader) {
    this.storage = storage;
    this.#header = header;
  }

  get virtualSize(): number {
    return this.#header.virtualSize;
  }

  get clusterSize(): number {
    return this.#header.blockSize;
  }

  get fileSize(): number {
    return this.#header.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, blockSize } = this.#header;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize: blockSize,
      clustersPerTable: this.#header.entryCount,
      sharingSize: blockSize,
      usedHeader: RangeSet.of({ start: 0, end: ToyHeaderFields.size }),
      creationOptions: { block_size: blockSize },
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= readToyTable(this.storage, this.#header);
    return this.#mapping;
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const { blockSize, virtualSize, tableOffset } = this.#header;
    const tableEnd = tableOffset + tableSizeFor(virtualSize, blockSize);
    return RangeSet.of({ start: 0, end: blockSize }, { start: tableOffset, end: tableEnd });
  }

  getSpecificInfo(): SpecificInfo {
    return { format: this.format, clusterSize: this.clusterSize };
  }
}

export async function openToy(storage: Storage): Promise<Image> {
  return new ToyImage(storage, await readToyHeader(storage));
}
