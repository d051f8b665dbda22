/** An opened VMDK. Of a flat one the guest's bytes are its extent's file, and a descriptor beside it says so; of a sparse one see sparse/image.ts. */

import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { ImageFiles } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, NOTHING_FOUND } from "../../image/finding.ts";
import { LINEAR_CLUSTER_SIZE, linearMapping, linearOptions } from "../../image/in-one-piece.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { Sidecar, Storage } from "../../storage/storage.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { MAX_DESCRIPTOR_LENGTH } from "./descriptor.ts";
import type { VmdkSpecificInfo } from "./details.ts";
import { FLAT, type FlatDisk, nameOf, readFlat } from "./flat.ts";
import { isAdapter } from "./fresh-descriptor.ts";
import { SPARSE_MARK } from "./sparse/fields.ts";
import { openSparse } from "./sparse/image.ts";

class FlatImage implements Image {
  readonly format = "vmdk";
  readonly clusterSize = LINEAR_CLUSTER_SIZE;
  /** The extent's file. */
  readonly storage: Storage;
  readonly fileSize: number;
  readonly #disk: FlatDisk;
  readonly #sidecar: Sidecar;
  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: Storage, fileSize: number, disk: FlatDisk, sidecar: Sidecar) {
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

/** A sparse image speaks for itself. Of a flat one `main` is the extent with its descriptor as sidecar, or the descriptor, whose extent is then asked for by its name. */
export async function openVmdk({ main, beside }: ImageFiles): Promise<Image> {
  const sidecar = await main.sidecar?.();
  if (sidecar !== undefined) return openFlat(main, sidecar);
  if (await isSparse(main)) return openSparse(main);
  const length = Math.min(await main.size(), MAX_DESCRIPTOR_LENGTH + 1);
  const bytes = await readZeroFilled(main, 0, length);
  const name = nameOf(main.path);
  const { fileName } = readFlat(bytes, main.path);
  return openFlat(await beside(fileName), { name, bytes });
}

async function isSparse(storage: Storage): Promise<boolean> {
  return Buffer.from(await readZeroFilled(storage, 0, SPARSE_MARK.length)).toString("latin1") === SPARSE_MARK;
}

async function openFlat(extent: Storage, sidecar: Sidecar): Promise<Image> {
  const { bytes, name } = sidecar;
  const { path } = extent;
  const disk = readFlat(bytes, path.slice(0, path.length - nameOf(path).length) + name);
  if (disk.fileName !== nameOf(extent.path)) {
    throw new ImageError("corrupt", say`Cannot open ${imageNamed(extent.path)}`, {
      because: `the descriptor ${name} speaks of another file`,
      path: extent.path,
      format: "vmdk",
    });
  }
  const fileSize = await extent.size();
  if (fileSize >= disk.virtualSize) return new FlatImage(extent, fileSize, disk, sidecar);
  throw new ImageError("out-of-bounds", say`Cannot open ${imageNamed(extent.path)}`, {
    because: `it has ${fileSize} bytes where the descriptor ${name} says ${disk.virtualSize}`,
    remedy: "the file was cut short: restore it from a backup",
    path: extent.path,
    format: "vmdk",
    structure: "extent",
    hostOffset: fileSize,
  });
}
