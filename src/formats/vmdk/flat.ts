/** A flat VMDK of one file: the guest's bytes are that file's, and a descriptor beside it says so. */

import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, NOTHING_FOUND } from "../../image/finding.ts";
import { LINEAR_CLUSTER_SIZE, linearMapping, linearOptions } from "../../image/in-one-piece.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { Sidecar, Storage } from "../../storage/storage.ts";
import type { VmdkSpecificInfo } from "./details.ts";
import { FLAT, type SingleDisk } from "./extents.ts";
import { isAdapter } from "./fresh-descriptor.ts";

class FlatImage implements Image {
  readonly format = "vmdk";
  readonly clusterSize = LINEAR_CLUSTER_SIZE;
  /** The extent's file. */
  readonly storage: Storage;
  readonly fileSize: number;
  readonly #disk: SingleDisk;
  readonly #sidecar: Sidecar;
  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: Storage, fileSize: number, disk: SingleDisk, sidecar: Sidecar) {
    this.storage = storage;
    this.fileSize = fileSize;
    this.#disk = disk;
    this.#sidecar = sidecar;
  }

  get virtualSize(): number {
    return this.#disk.virtualSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, fileSize } = this;
    const { bytes, name } = this.#sidecar;
    const adapter = this.#disk.descriptor.values.get("ddb.adaptertype");
    return {
      ...linearOptions(this.format, virtualSize, fileSize),
      creationOptions: {
        // One of those that are split is the same in one part, and the descriptor that comes back says which it was.
        subformat: FLAT,
        ...(isAdapter(adapter) && { adapter_type: adapter }),
        descriptor: Buffer.from(bytes).toString("hex"),
        descriptor_name: Buffer.from(name).toString("hex"),
      },
      unclean:
        fileSize === virtualSize
          ? []
          : [
              `Cannot convert a VMDK whose extent has ${fileSize} bytes where its descriptor says ${virtualSize}: what lies behind would be the disk's; look at it, and cut the file with truncate -s ${virtualSize}`,
            ],
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= linearMapping(this.storage, this.virtualSize);
    return this.#mapping;
  }

  /** As qemu-img says it: what had to be right was looked at when it was opened. */
  async check(): Promise<CheckResult> {
    return NOTHING_FOUND;
  }

  async getMetadataRanges(): Promise<RangeSet> {
    return new RangeSet();
  }

  getSpecificInfo(): VmdkSpecificInfo {
    const { cid, parentCid, createType } = this.#disk.descriptor;
    const extent = { virtualSize: this.virtualSize, filename: this.storage.path, format: "FLAT" };
    return {
      format: this.format,
      formatSpecific: { type: "vmdk", data: { cid, parentCid, createType, extents: [extent] } },
    };
  }
}

export async function openFlat(extent: Storage, sidecar: Sidecar, disk: SingleDisk): Promise<Image> {
  const fileSize = await extent.size();
  refuseShort(extent, fileSize, disk.virtualSize, sidecar.name);
  return new FlatImage(extent, fileSize, disk, sidecar);
}

/** Of a file, or the end of a part of one, that its descriptor says is `length` bytes long. Throws `out-of-bounds`. */
export function refuseShort({ path }: Storage, fileSize: number, length: number, descriptor: string): void {
  if (fileSize >= length) return;
  throw new ImageError("out-of-bounds", say`Cannot open ${imageNamed(path)}`, {
    because: `it has ${fileSize} bytes where the descriptor ${descriptor} says ${length}`,
    remedy: "the file was cut short: restore it from a backup",
    path,
    format: "vmdk",
    structure: "extent",
    hostOffset: fileSize,
  });
}
