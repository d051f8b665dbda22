/** An opened fixed VHD: the guest's bytes from the file's first on, and a footer behind them. */

import { alignDown, alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../image/extent.ts";
import { LINEAR_CLUSTER_SIZE, linearOptions } from "../../image/in-one-piece.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { Storage } from "../../storage/storage.ts";
import type { VpcSpecificInfo } from "./details.ts";
import { type FixedDisk, readFixedDisk } from "./disk.ts";
import { FOOTER_SIZE } from "./footer.ts";
import type { FoundFooter } from "./found-footer.ts";
import { savedStateOf } from "./saved-state.ts";

class FixedImage implements Image {
  readonly format = "vpc";
  readonly clusterSize = LINEAR_CLUSTER_SIZE;
  readonly storage: Storage;
  readonly #disk: FixedDisk;

  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: Storage, disk: FixedDisk) {
    this.storage = storage;
    this.#disk = disk;
  }

  get virtualSize(): number {
    return this.#disk.virtualSize;
  }

  get fileSize(): number {
    return this.#disk.fileSize;
  }

  getConversionOptions(): ConversionOptions {
    const { sector, footer, virtualSize, fileSize, unshown } = this.#disk;
    const isTight = virtualSize + FOOTER_SIZE === fileSize;
    return {
      ...linearOptions(this.format, virtualSize, fileSize),
      // Behind bytes that nobody kept the old footer would speak of another disk.
      creationOptions: {
        subformat: "fixed",
        force_size: true,
        ...(isTight && { footer: Buffer.from(sector).toString("hex") }),
      },
      unclean: [...savedStateOf(footer), ...(isTight ? [] : [loose(virtualSize, fileSize)])],
      forgettable: unshown === undefined ? [] : [unshown],
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= this.#map();
    return this.#mapping;
  }

  async #map(): Promise<ExtentTable> {
    const { virtualSize } = this.#disk;
    const extents = new ExtentTableBuilder();
    let end = 0;
    const data = (await dataRangesOf(this.storage)) ?? RangeSet.of({ start: 0, end: virtualSize });
    for (const range of data.clippedTo(0, virtualSize).each()) {
      if (range.start > end) extents.append(range.start - end, ExtentState.unallocated);
      extents.append(range.end - range.start, ExtentState.data, range.start);
      end = range.end;
    }
    if (end < virtualSize) extents.append(virtualSize - end, ExtentState.unallocated);
    return extents.finish(virtualSize);
  }

  /** The footer, and what lies before it that is no guest's: nothing may be put there either. */
  async getMetadataRanges(): Promise<RangeSet> {
    return RangeSet.of({ start: this.#disk.virtualSize, end: this.#disk.fileSize });
  }

  getSpecificInfo(): VpcSpecificInfo {
    return { format: this.format };
  }
}

/** Whoever takes the footer away would have to keep what lies before it too, for the way back. */
function loose(virtualSize: number, fileSize: number): string {
  const between = `bytes ${virtualSize} to ${fileSize - FOOTER_SIZE} lie between its disk and its footer`;
  const disk = `driver=raw,size=${virtualSize},file.driver=file,file.filename=IMAGE`;
  return `Cannot convert a VHD in which ${between}: copy its disk with qemu-img convert --image-opts ${disk} -O raw COPY`;
}

/** What holds data, where the host can tell holes, in whole sectors. */
async function dataRangesOf(storage: Storage & { dataRanges?(): Promise<RangeSet | undefined> }) {
  const found = await storage.dataRanges?.();
  if (found === undefined) return undefined;
  const whole = new RangeSet();
  for (const { start, end } of found.each()) {
    whole.add(alignDown(start, SECTOR_SIZE), alignUp(end, SECTOR_SIZE));
  }
  return whole;
}

export async function openFixed(main: Storage, found: FoundFooter, sizeFrom: string | undefined): Promise<Image> {
  return new FixedImage(main, await readFixedDisk(main, found, sizeFrom));
}
