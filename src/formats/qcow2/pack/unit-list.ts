/**
 * The disk's stored units in the guest's order, each with the place where it lies now, and which of those that are still to be
 * brought to their places lie in each cluster.
 */

import { ExtentState, type ExtentTable } from "../../../image/extent.ts";

const NONE = -1;
/** Clusters before one from which a stream may reach into it: none is longer than two. */
const REACH = 2;

export class UnitList {
  readonly count: number;
  /** Of the guest, in units. */
  readonly unit: Uint32Array;
  /** Host offset of the cluster, or of the stream. */
  readonly place: Float64Array;
  /** Of the stream; 0 of a plain cluster. */
  readonly storedLength: Uint32Array;
  readonly #unitSize: number;
  /** How many that wait touch each cluster. */
  readonly #waiting: Uint32Array;
  /** The units that begin in each cluster, as lists. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  constructor(mapping: ExtentTable, unitSize: number, clusterCount: number) {
    this.#unitSize = unitSize;
    this.count = countUnits(mapping, unitSize);
    this.unit = new Uint32Array(this.count);
    this.place = new Float64Array(this.count);
    this.storedLength = new Uint32Array(this.count);
    this.#waiting = new Uint32Array(clusterCount);
    this.#first = new Int32Array(clusterCount).fill(NONE);
    this.#next = new Int32Array(this.count).fill(NONE);
    let at = 0;
    for (let row = 0; row < mapping.count; row++) {
      const state = mapping.state[row];
      if (state !== ExtentState.data && state !== ExtentState.compressed) continue;
      const [guestOffset, hostOffset] = [mapping.guestOffset[row] as number, mapping.hostOffset[row] as number];
      for (let skip = 0; skip < (mapping.length[row] as number); skip += unitSize) {
        this.unit[at] = (guestOffset + skip) / unitSize;
        this.place[at] = hostOffset + skip;
        this.storedLength[at] = state === ExtentState.compressed ? (mapping.storedLength[row] as number) : 0;
        this.#enter(at++);
      }
    }
  }

  /** It lies where it shall, and waits no more. */
  settle(at: number): void {
    this.#leave(at);
  }

  /** It lies elsewhere now, and still waits. */
  move(at: number, place: number, storedLength: number): void {
    this.#leave(at);
    this.place[at] = place;
    this.storedLength[at] = storedLength;
    this.#enter(at);
  }

  /** Nothing that waits touches the cluster. */
  isLeft(cluster: number): boolean {
    return this.#waiting[cluster] === 0;
  }

  /** The first cluster from `cluster` on, below `end`, that something waits in; else `end`. */
  nextWaiting(cluster: number, end: number): number {
    let at = cluster;
    while (at < end && this.#waiting[at] === 0) at++;
    return at;
  }

  /** Those that wait and touch a cluster of [start, end). */
  *waitingIn(start: number, end: number): Generator<number> {
    for (let cluster = Math.max(0, start - REACH); cluster < end; cluster++)
      for (let at = this.#first[cluster] as number; at !== NONE; at = this.#next[at] as number)
        if (this.#lastCluster(at) >= start) yield at;
  }

  /** First and last cluster that it touches. */
  clustersOf(at: number): readonly [first: number, last: number] {
    return [Math.floor((this.place[at] as number) / this.#unitSize), this.#lastCluster(at)];
  }

  #lastCluster(at: number): number {
    const length = this.storedLength[at] || this.#unitSize;
    return Math.floor(((this.place[at] as number) + length - 1) / this.#unitSize);
  }

  #enter(at: number): void {
    const [first, last] = this.clustersOf(at);
    for (let cluster = first; cluster <= last; cluster++) this.#waiting[cluster] = (this.#waiting[cluster] ?? 0) + 1;
    this.#next[at] = this.#first[first] as number;
    this.#first[first] = at;
  }

  #leave(at: number): void {
    const [first, last] = this.clustersOf(at);
    for (let cluster = first; cluster <= last; cluster++) this.#waiting[cluster] = (this.#waiting[cluster] ?? 0) - 1;
    let before = NONE;
    for (let each = this.#first[first] as number; each !== at; each = this.#next[each] as number) before = each;
    if (before === NONE) this.#first[first] = this.#next[at] as number;
    else this.#next[before] = this.#next[at] as number;
    this.#next[at] = NONE;
  }
}

function countUnits({ count, state, length }: ExtentTable, unitSize: number): number {
  let units = 0;
  for (let row = 0; row < count; row++)
    if (state[row] === ExtentState.data || state[row] === ExtentState.compressed)
      units += Math.ceil((length[row] as number) / unitSize);
  return units;
}
