/** One opened qcow2 image: its header at once, its tables at the first question. */

import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { hasFlag, setBits } from "../../bytes/struct.ts";
import type { Encoder, EncodeWishes, PackWishes } from "../../image/encoder.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import type { EmptyStep, Rearranger } from "../../image/rearranger.ts";
import type { Repair, RepairWishes } from "../../image/repair.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import type { SnapshotInfo, SpecificInfo } from "../../image/specific-info.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { checkImage, findsOnlyMarks, type Inventory, reportUnreadable, takeInventory } from "./check/check.ts";
import { canCheckInDetail, checkInDetail } from "./check/detailed-check.ts";
import type { LuksDetails } from "./details.ts";
import type { EncoderFacts } from "./encode/counted-batches.ts";
import { featureName } from "./header/extensions.ts";
import { geometryOf } from "./header/geometry.ts";
import { AutoclearBit, CompatibleBit, IncompatibleBit, type Qcow2Header, readHeader } from "./header/header.ts";
import { readLuks } from "./luks.ts";
import { specificInfo } from "./specific-info.ts";
import { type Bitmap, readBitmapDirectory } from "./tables/bitmap-directory.ts";
import type { ReferenceCounts } from "./tables/reference-counts.ts";
import { ReferenceTally } from "./tables/reference-tally.ts";
import { readSnapshotTable } from "./tables/snapshot-table.ts";
import { SUBCLUSTER_COUNT } from "./tables/subclusters.ts";
import {
  type ActiveWalk,
  countActiveTables,
  type Problem,
  type WalkSource,
  walkActiveTables,
} from "./tables/table-walk.ts";

/** To be loaded by way of this alone: Node looks for the file of a loaded module once more where another module imports it. */
export const changes = () => import("./changes.ts");

export class Qcow2Image implements Image {
  readonly format = "qcow2";
  readonly storage: Storage;
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly fileSize: number;
  readonly #header: Qcow2Header;
  readonly #bitmaps: readonly Bitmap[];
  readonly #luks: LuksDetails | undefined;
  readonly #source: WalkSource;
  #walk: Promise<ActiveWalk> | undefined;
  #inventory: Promise<Inventory> | undefined;
  #check: Promise<CheckResult> | undefined;

  private constructor(source: WalkSource, fileSize: number, bitmaps: readonly Bitmap[], luks: LuksDetails | undefined) {
    this.storage = source.storage;
    this.virtualSize = source.header.virtualSize;
    this.clusterSize = source.header.clusterSize;
    this.fileSize = fileSize;
    this.#header = source.header;
    this.#bitmaps = bitmaps;
    this.#luks = luks;
    this.#source = source;
  }

  /** @throws ImageError for a header or a bitmap directory that breaks a rule; tables are read later. */
  static async open(storage: Storage): Promise<Qcow2Image> {
    const header = await readHeader(storage);
    const fileSize = await storage.size();
    const geometry = geometryOf(header, fileSize);
    const bitmaps = await readBitmapDirectory(storage, header, geometry);
    const luks = await readLuks(storage, header, fileSize);
    const source = { storage, header, geometry, tally: new ReferenceTally(geometry) };
    return new Qcow2Image(source, fileSize, bitmaps, luks);
  }

  getConversionOptions(): ConversionOptions {
    const header = this.#header;
    return {
      format: "qcow2",
      virtualSize: header.virtualSize,
      clusterSize: header.clusterSize,
      clustersPerTable: this.#source.geometry.l2EntryCount,
      backing: header.backing,
      encryption: header.encryption,
      snapshotCount: header.snapshotCount,
      bitmapNames: this.#bitmaps.map(({ name }) => name),
      unknownAutoclear: this.#unknownBits("autoclear", AutoclearBit),
      hasDataFile: header.hasDataFile,
      sharingSize: header.hasSubclusters ? header.clusterSize / SUBCLUSTER_COUNT : header.clusterSize,
      compression: header.compression,
      usedHeader: header.usedRanges,
      creationOptions: {
        cluster_size: header.clusterSize,
        compat: header.version === 2 ? "0.10" : "1.1",
        refcount_bits: header.refcountBits,
        lazy_refcounts: hasFlag(header.compatible, CompatibleBit.lazyRefcounts),
        compression_type: header.compression,
        extended_l2: header.hasSubclusters,
      },
      unclean: this.#uncleanReasons(),
      forgettable: this.#forgettable(),
    };
  }

  async getMapping(): Promise<ExtentTable> {
    if (this.#header.hasDataFile) {
      throw this.#unmappable("unsupported", {
        structure: "header",
        message: "its guest data lies in another file",
        remedy: "make a copy that holds it with qemu-img convert",
      });
    }
    const { extents, problem } = await this.#walked();
    if (problem !== undefined) throw this.#unmappable("corrupt", problem);
    return extents;
  }

  async check(onFinding?: FindingListener): Promise<CheckResult> {
    const result = await this.#quickCheck();
    const quick = { source: this.#source, inventory: await this.#takenInventory(), bitmaps: this.#bitmaps, result };
    if (result.findings.length === 0) return result;
    if (canCheckInDetail(quick)) return await checkInDetail(quick, onFinding);
    for (const finding of result.findings) onFinding?.(finding);
    return result;
  }

  async planRepair(wishes: RepairWishes): Promise<Repair> {
    const { planQcow2Repair } = await changes();
    return planQcow2Repair(this.storage, wishes, findsOnlyMarks(await this.#quickCheck()));
  }

  async getMetadataRanges(): Promise<RangeSet> {
    await this.#takenInventory();
    const { metadata, activeL2Tables, inactiveL2Tables } = this.#source.tally;
    const ranges = new RangeSet();
    for (const counts of [metadata, activeL2Tables, inactiveL2Tables]) ranges.addAll(this.#rangesOf(counts));
    return ranges;
  }

  getSpecificInfo(): SpecificInfo {
    return specificInfo(this.#header, this.#bitmaps, this.#luks);
  }

  async readSnapshots(): Promise<readonly SnapshotInfo[]> {
    if (this.#header.snapshotCount === 0) return [];
    return (await readSnapshotTable(this.#source)).snapshots.map(({ facts }) => facts);
  }

  async planSettling(): Promise<Rearrangement> {
    const { planHeaderSettling } = await changes();
    return planHeaderSettling(this.storage, this.#header, this.fileSize);
  }

  async openRearranger(): Promise<Rearranger> {
    const { storage, header } = this.#source;
    const { Qcow2Rearranger, refuseRearranging } = await changes();
    refuseRearranging(storage.path, header, await this.#quickCheck());
    return await Qcow2Rearranger.open(this.#source, this.#bitmaps);
  }

  async *emptyingSteps(zeros: RangeSet): AsyncGenerator<EmptyStep, void, void> {
    const { storage, header } = this.#source;
    const { clearedAutoclear, emptyingSteps, refuseRearranging } = await changes();
    refuseRearranging(storage.path, header, await this.#quickCheck());
    const mapping = await this.getMapping();
    const beforehand = [...(await clearedAutoclear(this.#source))];
    const { snapshots } = await readSnapshotTable(this.#source);
    for await (const step of emptyingSteps(this.#source, mapping, zeros, snapshots)) {
      for (const first of beforehand.splice(0)) yield { ...first, ranges: new RangeSet() };
      yield step;
    }
  }

  async openEncoder(wishes: EncodeWishes): Promise<Encoder> {
    const { Qcow2Encoder } = await changes();
    return await Qcow2Encoder.open(this.#source, await this.#encoderFacts(), wishes);
  }

  async openPacker(wishes: PackWishes): Promise<Encoder> {
    const { Qcow2Packer } = await changes();
    return await Qcow2Packer.open(this.#source, await this.#encoderFacts(), wishes);
  }

  /** Throws ImageError where nothing can be compressed. */
  async #encoderFacts(): Promise<EncoderFacts> {
    const { storage, header } = this.#source;
    const { clearedAutoclear, refuseEncoding, refuseRearranging } = await changes();
    const check = await this.#quickCheck();
    refuseRearranging(storage.path, header, check);
    refuseEncoding(storage.path, header);
    const { blocks } = await this.#takenInventory();
    const beforehand = await clearedAutoclear(this.#source);
    return { mapping: await this.getMapping(), blocks, beforehand, leaks: check.leaks };
  }

  /** What is wrong, if anything is: not told one by one. */
  #quickCheck(): Promise<CheckResult> {
    this.#check ??= this.#takenInventory().then((inventory) => checkImage(this.#source, inventory));
    return this.#check;
  }

  /** The walk that maps the active tables, once; it counts what they reference unless that has been counted already. */
  #walked(): Promise<ActiveWalk> {
    const { geometry } = this.#source;
    const tally = this.#inventory === undefined ? this.#source.tally : new ReferenceTally(geometry);
    this.#walk ??= walkActiveTables({ ...this.#source, tally });
    return this.#walk;
  }

  /** Everything that is referenced, once. */
  #takenInventory(): Promise<Inventory> {
    this.#inventory ??= (this.#walk ?? countActiveTables(this.#source)).then(
      () => takeInventory(this.#source, this.#bitmaps),
      (cause) => {
        reportUnreadable(this.#source, cause);
        return { blocks: new Float64Array(0), failed: true };
      },
    );
    return this.#inventory;
  }

  #rangesOf(counts: ReferenceCounts): RangeSet {
    const ranges = new RangeSet();
    for (const { cluster } of counts.each()) {
      const start = cluster * this.clusterSize;
      // Whole clusters, though the file may end inside its last: so they stay the same once more is written behind it.
      ranges.add(start, start + this.clusterSize);
    }
    return ranges;
  }

  #uncleanReasons(): string[] {
    const { incompatible } = this.#header;
    const reasons: string[] = [];
    if (hasFlag(incompatible, IncompatibleBit.dirty))
      reasons.push("its refcounts may be stale (dirty bit); repair it with `check -r all`");
    if (hasFlag(incompatible, IncompatibleBit.corrupt))
      reasons.push("it is marked corrupt (corrupt bit); repair it with `check -r all`");
    return reasons;
  }

  #unknownBits(kind: "compatible" | "autoclear", known: Readonly<Record<string, number>>): string[] {
    const { [kind]: bits, extensions } = this.#header;
    const unknown = setBits(bits).filter((bit) => !Object.values(known).includes(bit));
    return unknown.map((bit) => {
      const name = featureName(extensions.featureNames, kind, bit);
      return `unknown ${kind} feature bit ${bit}${name === undefined ? "" : ` (${name})`}`;
    });
  }

  #forgettable(): string[] {
    const { extensions, autoclear } = this.#header;
    return [
      ...this.#unknownBits("compatible", CompatibleBit),
      ...this.#unknownBits("autoclear", AutoclearBit),
      ...extensions.unknown.map(({ type }) => `unknown header extension ${hex(type)}`),
      ...(extensions.bitmaps !== undefined && !hasFlag(autoclear, AutoclearBit.bitmaps)
        ? ["bitmaps that another program has left invalid"]
        : []),
    ];
  }

  #unmappable(kind: "corrupt" | "unsupported", problem: Problem): ImageError {
    const { message, structure, hostOffset, guestOffset } = problem;
    const isOfVersion3 = problem.kind === "zero-flag-in-version-2";
    return new ImageError(kind, say`Cannot map ${imageNamed(this.storage.path)}`, {
      because: message,
      remedy: isOfVersion3 ? "raise its version first: qemu-img amend -o compat=1.1" : problem.remedy,
      format: "qcow2",
      path: this.storage.path,
      structure,
      hostOffset,
      guestOffset,
    });
  }
}
