/** Hears the runs of L2 tables and turns them into extents of the mapping and into counted references. */

import { hex } from "../../../bytes/image-error.ts";
import { ExtentState, type ExtentTableBuilder, NOWHERE } from "../../../image/extent.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { L2_DEFECTS, PREALLOCATED_UNALIGNED, spelledOut } from "./l2-defects.ts";
import { L2Mask } from "./l2-entry.ts";
import type { L2Defect, L2Sink } from "./l2-table-scan.ts";
import { outsideLine, type ReferenceTally } from "./reference-tally.ts";
import { SUBCLUSTER_COUNT, subclusterRuns } from "./subclusters.ts";
import { hexOfHalves } from "./table-entry.ts";

/** The table that is being read, and how often L1 tables list it. */
export interface L2Visit {
  /** L1 index, for messages; undefined for tables of snapshots. */
  readonly l1Index: number | undefined;
  readonly hostOffset: number;
  readonly table: Uint8Array;
  readonly activeTimes: number;
  readonly inactiveTimes: number;
}

const NO_VISIT: L2Visit = {
  l1Index: undefined,
  hostOffset: 0,
  table: new Uint8Array(0),
  activeTimes: 0,
  inactiveTimes: 0,
};

export class L2Tally implements L2Sink {
  readonly #tally: ReferenceTally;
  readonly #geometry: Qcow2Geometry;
  /** Undefined where only references count. */
  readonly #builder: ExtentTableBuilder | undefined;
  /** Data clusters lie in another file, whose places are not ours to count. */
  readonly #hasDataFile: boolean;
  #visit: L2Visit = NO_VISIT;
  #view = new DataView(NO_VISIT.table.buffer);
  #entryIndex = 0;
  #nextHostOffset = 0;
  #isSuspect = false;

  constructor(
    tally: ReferenceTally,
    geometry: Qcow2Geometry,
    builder: ExtentTableBuilder | undefined,
    hasDataFile: boolean,
  ) {
    this.#tally = tally;
    this.#geometry = geometry;
    this.#builder = builder;
    this.#hasDataFile = hasDataFile;
  }

  begin(visit: L2Visit): void {
    this.#visit = visit;
    this.#view = new DataView(visit.table.buffer, visit.table.byteOffset, visit.table.byteLength);
    this.#entryIndex = 0;
    this.#nextHostOffset = 0;
    this.#isSuspect = false;
  }

  unallocated(entryCount: number): void {
    if (this.#hasDataFile && entryCount === 1 && this.#isAtStartOfDataFile()) this.#allocate(0, 1);
    this.#entryIndex += entryCount;
    this.#map(entryCount, ExtentState.unallocated);
  }

  zeros(entryCount: number): void {
    this.#entryIndex += entryCount;
    this.#map(entryCount, ExtentState.zero);
  }

  clusters(isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void {
    this.#map(entryCount, isZero ? ExtentState.zero : ExtentState.data, hostOffset);
    this.#countClusters(hostOffset, entryCount, isCopied);
    this.#entryIndex += entryCount;
  }

  subclusters(hostOffset: number, isCopied: boolean, allocated: number, zero: number): void {
    const size = this.#geometry.clusterSize / SUBCLUSTER_COUNT;
    for (const { first, count, state } of subclusterRuns(allocated, zero)) {
      const place = hostOffset === 0 ? NOWHERE : hostOffset + first * size;
      if (state === "data") this.#mapBytes(count * size, ExtentState.data, place);
      else if (state === "zero") this.#mapBytes(count * size, ExtentState.zero, place);
      else this.#mapBytes(count * size, ExtentState.unallocated, NOWHERE);
    }
    if (hostOffset !== 0) this.#countClusters(hostOffset, 1, isCopied);
    this.#entryIndex++;
  }

  compressed(hostOffset: number, storedLength: number): void {
    const tally = this.#tally;
    const { activeTimes, inactiveTimes } = this.#visit;
    if (this.#hasDataFile) {
      this.#report("compressed-with-data-file", hostOffset);
      this.#map(1, ExtentState.unallocated);
      this.#entryIndex++;
      return;
    }
    tally.compressedClusters += activeTimes;
    tally.allocatedClusters += activeTimes;
    tally.fragmentedClusters += activeTimes;
    const isInside = tally.count(
      hostOffset,
      storedLength,
      "compressed cluster",
      activeTimes + inactiveTimes,
      tally.compressed,
      () => `0x${this.#compressedPlace()}`,
    );
    if (isInside) this.#mapCompressed(hostOffset, storedLength);
    else {
      this.#suspect();
      this.#map(1, ExtentState.unallocated);
    }
    this.#entryIndex++;
  }

  defect(defect: L2Defect, _entryIndex: number, hostOffset: number): void {
    this.#report(defect, hostOffset);
  }

  #suspect(): void {
    if (this.#isSuspect || this.#tally.detailed !== undefined) return;
    this.#isSuspect = true;
    this.#tally.suspectTables.add(Math.floor(this.#visit.hostOffset / this.#geometry.clusterSize));
  }

  #report(defect: keyof typeof L2_DEFECTS, hostOffset: number): void {
    this.#suspect();
    const { activeTimes, inactiveTimes } = this.#visit;
    const describe = () => {
      const place = defect.includes("compressed") ? this.#compressedPlace() : hostOffset.toString(16);
      const { message, line } = L2_DEFECTS[defect];
      const words = defect === "entry-unaligned" && this.#isPreallocated() ? PREALLOCATED_UNALIGNED : line;
      return {
        kind: defect,
        structure: this.#tableName(),
        hostOffset: this.#entryHostOffset(),
        message: `Entry ${this.#entryIndex} of the ${this.#tableName()}, for host offset 0x${place}: ${message}`,
        line: words
          ? spelledOut(words, { high: this.#high, low: this.#low, index: this.#entryIndex, place })
          : `WARNING entry ${this.#entryIndex} of ${this.#tableName()} is ${message}`,
        ...this.#guestPlace(),
      };
    };
    const times = activeTimes + inactiveTimes;
    if (L2_DEFECTS[defect].line === undefined) this.#tally.warning(describe, times);
    else this.#tally.corruption(describe, times);
  }

  get #high(): number {
    return this.#view.getUint32(this.#entryIndex * this.#geometry.l2EntrySize);
  }

  get #low(): number {
    return this.#view.getUint32(this.#entryIndex * this.#geometry.l2EntrySize + 4);
  }

  /** Exact also where 2^53 is not enough. */
  #compressedPlace(): string {
    const highBits = 38 - this.#geometry.clusterBits;
    return hexOfHalves(this.#high & (2 ** highBits - 1), this.#low);
  }

  #isPreallocated(): boolean {
    if (!this.#geometry.hasSubclusters) return (this.#low & L2Mask.zeroLow) !== 0;
    return this.#view.getUint32(this.#entryIndex * this.#geometry.l2EntrySize + 12) === 0;
  }

  /** In a data file even the first place holds data, and only the COPIED flag tells it from none. */
  #isAtStartOfDataFile(): boolean {
    return (this.#high & L2Mask.copiedHigh) !== 0;
  }

  #map(entryCount: number, state: ExtentState, hostOffset: number = NOWHERE): void {
    this.#mapBytes(entryCount * this.#geometry.clusterSize, state, hostOffset);
  }

  /** The last table may go on past the end of the disk: its entries count, but map nothing. */
  #mapBytes(length: number, state: ExtentState, hostOffset: number): void {
    const builder = this.#builder;
    if (builder === undefined) return;
    const left = this.#geometry.virtualSize - builder.end;
    if (left > 0) builder.append(Math.min(length, left), state, hostOffset);
  }

  #mapCompressed(hostOffset: number, storedLength: number): void {
    const builder = this.#builder;
    if (builder === undefined) return;
    const left = this.#geometry.virtualSize - builder.end;
    const length = Math.min(this.#geometry.clusterSize, left);
    if (left > 0) builder.append(length, ExtentState.compressed, hostOffset, storedLength);
  }

  #countClusters(hostOffset: number, clusterCount: number, isCopied: boolean): void {
    const { clusterSize, hostClusterCount } = this.#geometry;
    const { l1Index, activeTimes, inactiveTimes } = this.#visit;
    const tally = this.#tally;
    this.#allocate(hostOffset, clusterCount);
    if (this.#hasDataFile) {
      // What lies in another file has no refcount, and qemu-img takes it for one.
      if (!isCopied && this.#checksCopied) this.#reportFlags(hostOffset, clusterCount, 1);
      return;
    }
    const first = Math.floor(hostOffset / clusterSize);
    const insideCount = Math.max(0, Math.min(clusterCount, hostClusterCount - first));
    const times = activeTimes + inactiveTimes;
    const isFlagged = isCopied && this.#checksCopied && tally.detailed === undefined;
    if (l1Index !== undefined && tally.detailed === undefined) tally.reach.add(l1Index, first, first + clusterCount);
    if (isFlagged && inactiveTimes === 0 && insideCount === clusterCount && hostOffset % clusterSize === 0) {
      tally.addCopied(first, clusterCount, activeTimes);
      return;
    }
    if (hostOffset % clusterSize !== 0) tally.count(hostOffset, clusterSize, this.#tableName(), times);
    else if (insideCount > 0) tally.addClusters(first, insideCount, times);
    if (this.#checksCopied && insideCount > 0 && tally.detailed === undefined) {
      (isCopied ? tally.copied : tally.uncopied).add(first, insideCount, activeTimes);
    }
    if (insideCount < clusterCount) {
      this.#reportOutside(hostOffset + insideCount * clusterSize, clusterCount - insideCount, isCopied);
    }
  }

  #allocate(hostOffset: number, clusterCount: number): void {
    const { activeTimes } = this.#visit;
    if (activeTimes === 0) return;
    const tally = this.#tally;
    tally.allocatedClusters += clusterCount * activeTimes;
    if (this.#nextHostOffset !== 0 && hostOffset !== this.#nextHostOffset) tally.fragmentedClusters += activeTimes;
    this.#nextHostOffset = hostOffset + clusterCount * this.#geometry.clusterSize;
  }

  #reportOutside(firstHostOffset: number, clusterCount: number, isCopied: boolean): void {
    this.#suspect();
    const { clusterSize } = this.#geometry;
    const { activeTimes, inactiveTimes } = this.#visit;
    if (firstHostOffset % clusterSize === 0) {
      for (let turn = 0; turn < clusterCount; turn++) {
        const hostOffset = firstHostOffset + turn * clusterSize;
        this.#tally.corruption(
          () => ({
            kind: "entry-out-of-bounds",
            structure: this.#tableName(),
            hostOffset,
            ...this.#guestPlace(turn),
            message: `Entry ${this.#entryIndex + turn} of the ${this.#tableName()}: host offset ${hex(hostOffset)} lies outside the file`,
            line: outsideLine(hex(hostOffset), clusterSize),
          }),
          activeTimes + inactiveTimes,
        );
      }
    }
    // There may be refcounts for what the file doesn't reach; they are looked up when each entry is told.
    if (!this.#checksCopied) return;
    this.#tally.doubtfulFlags += clusterCount;
    if (isCopied) this.#reportFlags(firstHostOffset, clusterCount, 0);
  }

  /** Entries whose refcount is known without a look. Told later, entry by entry, where all is told. */
  #reportFlags(hostOffset: number, clusterCount: number, refcount: 0 | 1): void {
    const tally = this.#tally;
    if (tally.detailed !== undefined) return;
    tally.doubtfulFlags += clusterCount;
    tally.corruption(
      () => ({
        kind: "copied-flag-mismatch",
        structure: this.#tableName(),
        hostOffset,
        ...this.#guestPlace(),
        refcount,
        message: `COPIED flag of data cluster ${hex(hostOffset)} is ${refcount === 1 ? "clear" : "set"}, but its refcount is ${refcount}`,
      }),
      clusterCount * this.#visit.activeTimes,
    );
  }

  /** Flags mean something in tables that the active L1 lists; one at offset 0 is the header, and no table. */
  get #checksCopied(): boolean {
    return this.#visit.activeTimes > 0 && this.#visit.hostOffset > 0;
  }

  #tableName(): string {
    const { l1Index, hostOffset } = this.#visit;
    return l1Index === undefined ? `snapshot L2 table at ${hex(hostOffset)}` : `L2 table ${l1Index}`;
  }

  #entryHostOffset(): number {
    return this.#visit.hostOffset + this.#entryIndex * this.#geometry.l2EntrySize;
  }

  #guestPlace(turn = 0): { guestOffset?: number } {
    const { l1Index } = this.#visit;
    if (l1Index === undefined) return {};
    const { bytesPerL2Table, clusterSize } = this.#geometry;
    return { guestOffset: l1Index * bytesPerL2Table + (this.#entryIndex + turn) * clusterSize };
  }
}
