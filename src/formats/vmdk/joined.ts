/** An opened VMDK whose disk lies in several files, each with a part of it; it is only read. */

import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { ImageFiles } from "../../image/driver.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent, NOWHERE } from "../../image/extent.ts";
import { type CheckResult, FindingList, type FindingListener, NOTHING_FOUND } from "../../image/finding.ts";
import { LINEAR_CLUSTER_SIZE, linearMapping } from "../../image/in-one-piece.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../image/source.ts";
import { JoinedStorage } from "../../storage/joined.ts";
import type { Storage } from "../../storage/storage.ts";
import { StretchedStorage } from "../../storage/stretches.ts";
import type { VmdkExtentInfo, VmdkSpecificInfo } from "./details.ts";
import { type DescribedDisk, type DiskExtent, nameOf } from "./extents.ts";
import { refuseShort } from "./flat.ts";
import { COPY_IT } from "./rules.ts";
import { MAX_TABLE_COUNT } from "./sparse/header.ts";
import { openSparseExtent, type SparseImage } from "./sparse/image.ts";

interface Part {
  readonly extent: DiskExtent;
  /** Absent of zeros. */
  readonly file?: Storage;
  /** What speaks for the file, where that is sparse. */
  readonly sparse?: SparseImage;
}

class JoinedImage implements Image {
  readonly format = "vmdk";
  readonly storage: JoinedStorage;
  readonly fileSize: number;
  readonly clusterSize: number;
  readonly #disk: DescribedDisk;
  readonly #parts: readonly Part[];
  #mapping: Promise<ExtentTable> | undefined;

  constructor(storage: JoinedStorage, fileSize: number, disk: DescribedDisk, parts: readonly Part[]) {
    this.storage = storage;
    this.fileSize = fileSize;
    this.#disk = disk;
    this.#parts = parts;
    this.clusterSize = this.#firstSparse?.clusterSize ?? LINEAR_CLUSTER_SIZE;
  }

  get virtualSize(): number {
    return this.#disk.virtualSize;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, clusterSize } = this;
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize,
      clustersPerTable: 0,
      sharingSize: clusterSize,
      usedHeader: new RangeSet(),
      creationOptions: { subformat: this.#disk.descriptor.createType },
      unclean: this.#parts.flatMap(({ sparse }) => sparse?.getConversionOptions().unclean ?? []),
    };
  }

  getMapping(): Promise<ExtentTable> {
    this.#mapping ??= this.#join();
    return this.#mapping;
  }

  async #join(): Promise<ExtentTable> {
    const joined = new ExtentTableBuilder();
    for (const part of this.#parts) {
      const { extent, file } = part;
      if (file === undefined) {
        joined.append(extent.length, ExtentState.zero);
        continue;
      }
      const base = this.storage.baseOf(file) + extent.hostOffset;
      for (const { length, state, hostOffset } of eachExtent(await mappingOf(part, file)))
        joined.append(length, state, hostOffset === NOWHERE ? NOWHERE : base + hostOffset);
    }
    return joined.finish(this.virtualSize);
  }

  /** Of each sparse part by itself; which file is meant is said with each finding. */
  async check(onFinding?: FindingListener): Promise<CheckResult> {
    const list = new FindingList(onFinding);
    const result = { ...NOTHING_FOUND };
    for (const { file, sparse } of this.#parts) {
      if (file === undefined || sparse === undefined) continue;
      const name = nameOf(file.path);
      const found = await sparse.check(({ message, ...rest }) => list.add({ ...rest, message: `${name}: ${message}` }));
      result.corruptions += found.corruptions;
      result.checkErrors += found.checkErrors;
      result.warnings += found.warnings;
    }
    return { ...result, findings: list.findings };
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const ranges = new RangeSet();
    for (const { file, sparse } of this.#parts) {
      if (file === undefined || sparse === undefined) continue;
      const base = this.storage.baseOf(file);
      for (const { start, end } of (await sparse.getMetadataRanges()).each()) ranges.add(base + start, base + end);
    }
    return ranges;
  }

  getSpecificInfo(): VmdkSpecificInfo {
    const { cid, parentCid, createType } = this.#disk.descriptor;
    const clusterSize = this.#firstSparse?.clusterSize;
    const extents = this.#parts.map(({ extent: { type, length: virtualSize }, file, sparse }): VmdkExtentInfo => {
      const facts = { virtualSize, filename: file?.path ?? "" };
      return { ...facts, ...(sparse && { clusterSize: sparse.clusterSize }), format: type };
    });
    return {
      format: this.format,
      ...(clusterSize !== undefined && { clusterSize }),
      formatSpecific: { type: "vmdk", data: { cid, parentCid, createType, extents } },
    };
  }

  get #firstSparse(): SparseImage | undefined {
    return this.#parts.find(({ sparse }) => sparse)?.sparse;
  }
}

function mappingOf({ extent, sparse }: Part, storage: Storage): Promise<ExtentTable> {
  if (sparse !== undefined) return sparse.getMapping();
  const { hostOffset, length } = extent;
  return linearMapping(new StretchedStorage(storage.path, [{ storage, hostOffset, length }]), length);
}

/** Throws ImageError where a file is not what the descriptor at `path` says of it; `beside` opens them, and closes them then. */
export async function openJoined(path: string, disk: DescribedDisk, beside: ImageFiles["beside"]): Promise<Image> {
  const parts: Part[] = [];
  let tableCount = 0;
  for (const extent of disk.extents) {
    if (extent.type === "ZERO") {
      parts.push({ extent });
      continue;
    }
    const file = await beside(extent.fileName);
    if (extent.type === "FLAT") {
      refuseShort(file, await file.size(), extent.hostOffset + extent.length, nameOf(path));
      parts.push({ extent, file });
      continue;
    }
    const sparse = await openSparseExtent(file, { ...extent, descriptor: disk.descriptor });
    const refusal = (because: string) =>
      new ImageError("unsupported", say`Cannot open ${imageNamed(path)}`, {
        because: `${extent.fileName}, a part of its disk, ${because}`,
        remedy: COPY_IT,
        path,
        format: "vmdk",
      });
    if (sparse.isCompressed) throw refusal("holds compressed grains");
    tableCount += sparse.tableCount;
    if (tableCount > MAX_TABLE_COUNT) throw refusal("would make its tables too large");
    parts.push({ extent, file, sparse });
  }
  const storage = await JoinedStorage.of(
    path,
    parts.flatMap(({ file }) => file ?? []),
  );
  return new JoinedImage(storage, await storage.size(), disk, parts);
}
