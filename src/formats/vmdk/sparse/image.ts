/** An opened sparse VMDK of one file: monolithicSparse or streamOptimized; or one extent of those that a descriptor beside it names. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { brokenMapping } from "../../../image/broken-mapping.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../../image/finding.ts";
import type { Repair, RepairWishes } from "../../../image/repair.ts";
import { type ConversionOptions, DISK_ALONE, type Image } from "../../../image/source.ts";
import type { Rearrangement } from "../../../image/write.ts";
import { readExactly, readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { refusing, type VmdkDescriptor } from "../descriptor.ts";
import type { VmdkSpecificInfo } from "../details.ts";
import { isAdapter } from "../fresh-descriptor.ts";
import { checkResult } from "./check.ts";
import { readSparseDescriptor } from "./descriptor.ts";
import { SPARSE_MARK } from "./fields.ts";
import { type GrainScan, scanGrains } from "./grain-scan.ts";
import { readSparseHeader, type SparseHeader } from "./header.ts";
import { type Redundant, readRedundant } from "./redundant.ts";
import { planSparseRepair } from "./repair.ts";
import { planStreamSettling } from "./settle.ts";

export class SparseImage implements Image {
  readonly format = "vmdk";
  readonly storage: Storage;
  readonly #header: SparseHeader;
  readonly #descriptor: VmdkDescriptor;
  /** As qemu-img calls an extent that another file names; its own it calls nothing. */
  readonly #extentType: string;
  #scanned: GrainScan | undefined;
  #scan: Promise<GrainScan> | undefined;
  #redundant: Promise<Redundant> | undefined;
  /** Of a stream alone. */
  readonly planSettling?: () => Promise<Rearrangement>;

  constructor(storage: Storage, header: SparseHeader, descriptor: VmdkDescriptor, extentType = "") {
    this.storage = storage;
    this.#header = header;
    this.#descriptor = descriptor;
    this.#extentType = extentType;
    if (header.isCompressed) this.planSettling = () => planStreamSettling(storage, header);
  }

  get virtualSize(): number {
    return this.#header.virtualSize;
  }

  get clusterSize(): number {
    return this.#header.grainSize;
  }

  get fileSize(): number {
    return this.#header.fileSize;
  }

  get isCompressed(): boolean {
    return this.#header.isCompressed;
  }

  get tableCount(): number {
    return this.#header.tableCount;
  }

  getConversionOptions(): ConversionOptions {
    const { virtualSize, grainSize, isCompressed, descriptorOffset, descriptorLength, values, anchor } = this.#header;
    const { createType, values: said } = this.#descriptor;
    const adapter = said.get("ddb.adaptertype");
    return {
      ...DISK_ALONE,
      format: this.format,
      virtualSize,
      clusterSize: grainSize,
      clustersPerTable: this.#header.entryCount,
      // Grains may begin at any sector; where they are seen to lie as clusters do, halves of them need not be told apart.
      sharingSize: this.#scanned?.isAligned ? grainSize : SECTOR_SIZE,
      compression: isCompressed ? "zlib" : undefined,
      ...this.#tail(),
      ...(anchor && { anchor }),
      // Tables may lie right behind the header, and which of them do the directory alone says.
      usedHeader: RangeSet.of(
        { start: 0, end: grainSize },
        { start: descriptorOffset, end: descriptorOffset + descriptorLength },
      ),
      creationOptions: { subformat: createType, ...(isAdapter(adapter) && { adapter_type: adapter }) },
      unclean:
        values.uncleanShutdown === 0
          ? []
          : [
              "The image is marked as in use: its last writer did not close it; where its check finds nothing else a repair of all clears the mark",
            ],
    };
  }

  async getMapping(): Promise<ExtentTable> {
    const { mapping, findings } = await this.#grains();
    if (mapping !== undefined) return mapping;
    const { format, storage } = this;
    const remedy = "restore it from a backup, or download it again";
    throw brokenMapping(findings.broken, { format, path: storage.path, remedy });
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    const redundant = await this.#secondTables();
    const known = await this.#grains();
    // Of many findings the first walk kept a part; who listens hears all.
    const isTold = onFinding !== undefined && known.findings.list.findings.length > 0;
    const scan = isTold ? await scanGrains(this.storage, this.#header, onFinding) : known;
    return checkResult(this.#header, scan, redundant, onFinding);
  }

  async planRepair(wishes: RepairWishes): Promise<Repair> {
    return planSparseRepair(this.#header, await this.check(), wishes);
  }

  async getMetadataRanges(): Promise<RangeSet> {
    const ranges = new RangeSet();
    ranges.addAll((await this.#grains()).metadata);
    ranges.addAll((await this.#secondTables()).metadata);
    return ranges;
  }

  getSpecificInfo(): VmdkSpecificInfo {
    const { virtualSize, grainSize: clusterSize, isCompressed } = this.#header;
    const { cid, parentCid, createType } = this.#descriptor;
    const extent = {
      ...(isCompressed && { compressed: true as const }),
      virtualSize,
      filename: this.storage.path,
      clusterSize,
      format: this.#extentType,
    };
    return {
      format: this.format,
      clusterSize,
      formatSpecific: { type: "vmdk", data: { cid, parentCid, createType, extents: [extent] } },
    };
  }

  /** Until the streams have been looked at the last one may be short wherever the disk ends inside a grain. */
  #tail(): Pick<ConversionOptions, "tailLength"> {
    const { isCompressed, virtualSize, grainSize } = this.#header;
    const rest = isCompressed ? virtualSize % grainSize : 0;
    const tailLength = this.#scanned === undefined ? rest || undefined : this.#scanned.tailLength;
    return tailLength === undefined ? {} : { tailLength };
  }

  #grains(): Promise<GrainScan> {
    this.#scan ??= scanGrains(this.storage, this.#header).then((scan) => {
      this.#scanned = scan;
      return scan;
    });
    return this.#scan;
  }

  #secondTables(): Promise<Redundant> {
    this.#redundant ??= this.#grains().then(({ directory }) => readRedundant(this.storage, this.#header, directory));
    return this.#redundant;
  }
}

/** What a descriptor beside it says of an extent. Bytes. */
interface SaidOfExtent {
  readonly descriptor: VmdkDescriptor;
  readonly length: number;
  readonly guestOffset: number;
}

const CONVERTED = "where it was converted since, name that file itself";

/** An extent whose descriptor stands beside it: what may be inside it says nothing. */
export async function openSparseExtent(
  storage: Storage,
  { descriptor, length, guestOffset }: SaidOfExtent,
): Promise<SparseImage> {
  const refuse = refusing(storage.path, "extent");
  const mark = Buffer.from(await readZeroFilled(storage, 0, SPARSE_MARK.length)).toString("latin1");
  if (mark !== SPARSE_MARK)
    throw refuse("corrupt", "its descriptor says that it is a sparse extent, and it is none", 0, CONVERTED);
  const header = await readSparseHeader(storage, guestOffset);
  if (header.virtualSize !== length)
    throw refuse(
      "corrupt",
      `its descriptor says that it holds ${length} bytes of the disk, its header ${header.virtualSize}`,
      12,
    );
  return new SparseImage(storage, header, descriptor, "SPARSE");
}

export async function openSparse(storage: Storage): Promise<Image> {
  const header = await readSparseHeader(storage);
  const { descriptorOffset, descriptorLength } = header;
  const bytes = await readExactly(storage, descriptorOffset, descriptorLength, "VMDK descriptor");
  return new SparseImage(storage, header, readSparseDescriptor(bytes, header, storage.path));
}
