/** A quick look at a whole L2 table, run by run: which entries of it need a closer one. Most tables have none. */

import type { Qcow2Geometry } from "../header/geometry.ts";
import { type L2Sink, scanL2Table } from "../tables/l2-table-scan.ts";

/** What makes an entry one to be looked at. Of clusters in a row: whether one of their entries is. */
export interface Suspicion {
  ofClusters(hostOffset: number, clusterCount: number, isCopied: boolean): boolean;
  ofCompressed(hostOffset: number, storedLength: number): boolean;
  /** Whether an entry is that no table may have. */
  readonly ofDefects: boolean;
}

export class TableLook implements L2Sink {
  readonly #geometry: Qcow2Geometry;
  readonly #suspicion: Suspicion;
  #suspects: number[] = [];
  #entryIndex = 0;

  constructor(geometry: Qcow2Geometry, suspicion: Suspicion) {
    this.#geometry = geometry;
    this.#suspicion = suspicion;
  }

  /** Indexes of the suspect entries, ascending. */
  suspectsIn(table: Uint8Array): readonly number[] {
    this.#suspects = [];
    this.#entryIndex = 0;
    scanL2Table(table, this.#geometry, this);
    return this.#suspects;
  }

  unallocated(entryCount: number): void {
    this.#entryIndex += entryCount;
  }

  zeros(entryCount: number): void {
    this.#entryIndex += entryCount;
  }

  clusters(_isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void {
    this.#search(this.#entryIndex, hostOffset, entryCount, isCopied);
    this.#entryIndex += entryCount;
  }

  compressed(hostOffset: number, storedLength: number): void {
    if (this.#suspicion.ofCompressed(hostOffset, storedLength)) this.#add(this.#entryIndex);
    this.#entryIndex++;
  }

  subclusters(hostOffset: number, isCopied: boolean): void {
    if (hostOffset !== 0) this.#search(this.#entryIndex, hostOffset, 1, isCopied);
    this.#entryIndex++;
  }

  defect(_defect: string, entryIndex: number): void {
    if (this.#suspicion.ofDefects) this.#add(entryIndex);
  }

  /** Halves a run that holds suspects until it is one. */
  #search(index: number, hostOffset: number, count: number, isCopied: boolean): void {
    if (!this.#suspicion.ofClusters(hostOffset, count, isCopied)) return;
    if (count === 1) {
      this.#add(index);
      return;
    }
    const half = count >>> 1;
    this.#search(index, hostOffset, half, isCopied);
    this.#search(index + half, hostOffset + half * this.#geometry.clusterSize, count - half, isCopied);
  }

  /** A defect is told before its entry. */
  #add(index: number): void {
    if (this.#suspects.at(-1) !== index) this.#suspects.push(index);
  }
}
