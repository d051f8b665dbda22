/** Hears the runs of L2 tables and turns them into extents of the mapping and into counted references. */

import { hex } from "../../bytes/image-error.ts";
import { ExtentState, type ExtentTableBuilder, NOWHERE } from "../../image/extent.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import type { L2Defect, L2Sink } from "./l2-table-scan.ts";
import type { ReferenceTally } from "./reference-tally.ts";
import { SUBCLUSTER_COUNT, subclusterRuns } from "./subclusters.ts";

/** The table that is being read, and how often L1 tables list it. */
export interface L2Visit {
  /** L1 index, for messages; undefined for tables of snapshots. */
  readonly l1Index: number | undefined;
  readonly hostOffset: number;
  readonly activeTimes: number;
  readonly inactiveTimes: number;
}

const DEFECTS: Readonly<Record<L2Defect, string>> = {
  "reserved-bits": "reserved bits are set",
  "entry-unaligned": "its host offset is no multiple of the cluster size",
  "zero-flag-in-version-2": "a zero cluster in a version 2 image",
  "zero-flag-with-subclusters": "a zero flag, which extended entries do not have",
  "copied-compressed": "a compressed cluster with the COPIED flag",
  "compressed-subclusters": "a compressed cluster with a subcluster bitmap",
  "invalid-subclusters": "subclusters are allocated and zero at once",
  "subclusters-without-cluster": "subclusters are allocated, but the cluster is not",
};

export class L2Tally implements L2Sink {
  readonly #tally: ReferenceTally;
  readonly #geometry: Qcow2Geometry;
  /** Undefined where only references count. */
  readonly #builder: ExtentTableBuilder | undefined;
  /** Data clusters lie in another file, whose places are not ours to count. */
  readonly #hasDataFile: boolean;
  #visit: L2Visit = { l1Index: undefined, hostOffset: 0, activeTimes: 0, inactiveTimes: 0 };
  #entryIndex = 0;
  #nextHostOffset = 0;

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
    this.#entryIndex = 0;
    this.#nextHostOffset = 0;
  }

  unallocated(entryCount: number): void {
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
    tally.compressedClusters += activeTimes;
    tally.allocatedClusters += activeTimes;
    tally.fragmentedClusters += activeTimes;
    const isInside = tally.count(
      hostOffset,
      storedLength,
      "compressed cluster",
      activeTimes + inactiveTimes,
      tally.compressed,
    );
    if (isInside) this.#mapCompressed(hostOffset, storedLength);
    else this.#map(1, ExtentState.unallocated);
    this.#entryIndex++;
  }

  defect(defect: L2Defect, _entryIndex: number, hostOffset: number): void {
    const { activeTimes, inactiveTimes } = this.#visit;
    this.#tally.corruption(
      () => ({
        kind: defect,
        structure: this.#tableName(),
        hostOffset: this.#entryHostOffset(),
        message: `Entry ${this.#entryIndex} of the ${this.#tableName()}, for host offset ${hex(hostOffset)}: ${DEFECTS[defect]}`,
        ...this.#guestPlace(),
      }),
      activeTimes + inactiveTimes,
    );
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
    const { activeTimes, inactiveTimes } = this.#visit;
    const tally = this.#tally;
    if (activeTimes > 0) {
      tally.allocatedClusters += clusterCount * activeTimes;
      if (this.#nextHostOffset !== 0 && hostOffset !== this.#nextHostOffset) tally.fragmentedClusters += activeTimes;
      this.#nextHostOffset = hostOffset + clusterCount * clusterSize;
    }
    if (this.#hasDataFile) return;
    const first = Math.floor(hostOffset / clusterSize);
    const insideCount = Math.max(0, Math.min(clusterCount, hostClusterCount - first));
    const times = activeTimes + inactiveTimes;
    if (hostOffset % clusterSize !== 0) tally.count(hostOffset, clusterSize, this.#tableName(), times);
    else if (insideCount > 0) tally.all.add(first, insideCount, times);
    if (this.#checksCopied && insideCount > 0) {
      (isCopied ? tally.copied : tally.uncopied).add(first, insideCount, activeTimes);
    }
    if (insideCount < clusterCount) {
      this.#reportOutside(hostOffset + insideCount * clusterSize, clusterCount - insideCount, isCopied);
    }
  }

  #reportOutside(hostOffset: number, clusterCount: number, isCopied: boolean): void {
    const { clusterSize } = this.#geometry;
    const { activeTimes, inactiveTimes } = this.#visit;
    const place = () => ({ structure: this.#tableName(), hostOffset, ...this.#guestPlace() });
    if (hostOffset % clusterSize === 0) {
      this.#tally.corruption(
        () => ({
          kind: "entry-out-of-bounds",
          ...place(),
          message: `Entry ${this.#entryIndex} of the ${this.#tableName()}: ${clusterCount} clusters from host offset ${hex(hostOffset)} on lie outside the file`,
        }),
        clusterCount * (activeTimes + inactiveTimes),
      );
    }
    if (isCopied && this.#checksCopied) {
      this.#tally.corruption(
        () => ({
          kind: "copied-flag-mismatch",
          ...place(),
          refcount: 0,
          message: `COPIED flag of data cluster ${hex(hostOffset)} is set, but its refcount is 0`,
        }),
        clusterCount * activeTimes,
      );
    }
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

  #guestPlace(): { guestOffset?: number } {
    const { l1Index } = this.#visit;
    if (l1Index === undefined) return {};
    const { bytesPerL2Table, clusterSize } = this.#geometry;
    return { guestOffset: l1Index * bytesPerL2Table + this.#entryIndex * clusterSize };
  }
}
