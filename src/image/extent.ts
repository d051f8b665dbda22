/** A mapping: where every byte of the guest's disk lies in the file, as a table of extents in typed columns. */

import { ImageError } from "../bytes/image-error.ts";

/**
 * What a guest range is made of.
 *
 * - `data`: the bytes at `hostOffset`.
 * - `zero`: reads as zeros whatever lies below; `hostOffset` is the preallocated place, or -1.
 * - `unallocated`: falls through to the backing file, or reads as zeros without one; `hostOffset` is -1.
 * - `compressed`: one source cluster, deflated or zstd, in `storedLength` bytes at `hostOffset`.
 */
export const ExtentState = { data: 0, zero: 1, unallocated: 2, compressed: 3 } as const;
export type ExtentState = (typeof ExtentState)[keyof typeof ExtentState];

/** `hostOffset` of an extent that lies nowhere in the file. */
export const NOWHERE = -1;

/** One row of an ExtentTable, for callers off the hot path. Lengths and offsets in bytes. */
export interface Extent {
  readonly guestOffset: number;
  readonly hostOffset: number;
  readonly length: number;
  readonly state: ExtentState;
  readonly storedLength: number;
}

/**
 * Extents sorted by guest offset that cover [0, virtualSize) without gap or overlap.
 *
 * Columns are parallel; row i is guest bytes guestOffset[i] .. guestOffset[i] + length[i].
 * Data extents are merged wherever guest and host are both contiguous.
 */
export interface ExtentTable {
  readonly count: number;
  readonly guestOffset: Float64Array;
  readonly hostOffset: Float64Array;
  readonly length: Float64Array;
  readonly state: Uint8Array;
  readonly storedLength: Uint32Array;
}

export function extentAt(table: ExtentTable, row: number): Extent {
  return {
    guestOffset: table.guestOffset[row] as number,
    hostOffset: table.hostOffset[row] as number,
    length: table.length[row] as number,
    state: table.state[row] as ExtentState,
    storedLength: table.storedLength[row] as number,
  };
}

export function* eachExtent(table: ExtentTable): Generator<Extent> {
  for (let row = 0; row < table.count; row++) yield extentAt(table, row);
}

/** Whether the guest's bytes lie in the file: all else reads as zeros, or shows what lies below. */
export function isStored(state: number | undefined): boolean {
  return state === ExtentState.data || state === ExtentState.compressed;
}

/** Guest bytes that lie in a file, plain or compressed: what a digest has to read. */
export function storedGuestBytes({ count, length, state }: ExtentTable): number {
  let sum = 0;
  for (let row = 0; row < count; row++) if (isStored(state[row])) sum += length[row] as number;
  return sum;
}

/** Where the disk that the table covers ends. */
export function guestEndOf({ count, guestOffset, length }: ExtentTable): number {
  return count === 0 ? 0 : (guestOffset[count - 1] as number) + (length[count - 1] as number);
}

/** The row that holds `guestOffset`, by bisection; -1 past the end. */
export function findRow(table: ExtentTable, guestOffset: number): number {
  let low = 0;
  let high = table.count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const start = table.guestOffset[middle] as number;
    if (guestOffset < start) high = middle - 1;
    else if (guestOffset >= start + (table.length[middle] as number)) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** The first row in which two tables differ, or -1. Tables are canonical, so equal mappings are equal tables. */
export function firstDifference(a: ExtentTable, b: ExtentTable): number {
  const count = Math.min(a.count, b.count);
  for (let row = 0; row < count; row++) {
    if (
      a.guestOffset[row] !== b.guestOffset[row] ||
      a.hostOffset[row] !== b.hostOffset[row] ||
      a.length[row] !== b.length[row] ||
      a.state[row] !== b.state[row] ||
      a.storedLength[row] !== b.storedLength[row]
    ) {
      return row;
    }
  }
  return a.count === b.count ? -1 : count;
}

/** Collects extents in guest order, merges neighbours, and proves that there is no gap and no overlap. */
export class ExtentTableBuilder {
  #capacity = 1024;
  #count = 0;
  #end = 0;
  #guestOffset = new Float64Array(this.#capacity);
  #hostOffset = new Float64Array(this.#capacity);
  #length = new Float64Array(this.#capacity);
  #state = new Uint8Array(this.#capacity);
  #storedLength = new Uint32Array(this.#capacity);

  /** Appends the next `length` bytes of guest. Empty extents are passed over. */
  append(length: number, state: ExtentState, hostOffset: number = NOWHERE, storedLength = 0): void {
    if (length === 0) return;
    const last = this.#count - 1;
    if (last >= 0 && state !== ExtentState.compressed && this.#state[last] === state) {
      const lastHost = this.#hostOffset[last] as number;
      const lastLength = this.#length[last] as number;
      const continues = lastHost === NOWHERE ? hostOffset === NOWHERE : hostOffset === lastHost + lastLength;
      if (continues) {
        this.#length[last] = lastLength + length;
        this.#end += length;
        return;
      }
    }
    if (this.#count === this.#capacity) this.#grow();
    const row = this.#count++;
    this.#guestOffset[row] = this.#end;
    this.#hostOffset[row] = hostOffset;
    this.#length[row] = length;
    this.#state[row] = state;
    this.#storedLength[row] = storedLength;
    this.#end += length;
  }

  /** Guest bytes appended so far. */
  get end(): number {
    return this.#end;
  }

  /** Closes the table; throws unless it ends exactly at `virtualSize`. */
  finish(virtualSize: number): ExtentTable {
    if (this.#end !== virtualSize) {
      throw new ImageError(
        "corrupt",
        `Cannot use the mapping: it ends at guest offset ${this.#end}, the disk at ${virtualSize}`,
        { structure: "mapping", guestOffset: this.#end },
      );
    }
    return {
      count: this.#count,
      guestOffset: this.#guestOffset.subarray(0, this.#count),
      hostOffset: this.#hostOffset.subarray(0, this.#count),
      length: this.#length.subarray(0, this.#count),
      state: this.#state.subarray(0, this.#count),
      storedLength: this.#storedLength.subarray(0, this.#count),
    };
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#guestOffset = widened(this.#guestOffset, new Float64Array(this.#capacity));
    this.#hostOffset = widened(this.#hostOffset, new Float64Array(this.#capacity));
    this.#length = widened(this.#length, new Float64Array(this.#capacity));
    this.#state = widened(this.#state, new Uint8Array(this.#capacity));
    this.#storedLength = widened(this.#storedLength, new Uint32Array(this.#capacity));
  }
}

function widened<T extends Float64Array | Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
