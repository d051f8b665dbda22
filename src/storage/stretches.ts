/** A file that is made of stretches of files: a member of an archive is one, an image in several parts has many. */

import { RangeSet } from "../bytes/range-set.ts";
import type { Storage } from "./storage.ts";

/** Bytes [hostOffset, +length) of a file that is open. */
export interface Stretch {
  readonly storage: Storage;
  readonly hostOffset: number;
  readonly length: number;
}

/** The stretches one after another; addresses count from the first byte of the first. Closing closes none of their files. */
export class StretchedStorage implements Storage {
  readonly path: string;
  readonly #stretches: readonly Stretch[];
  /** Where each begins. */
  readonly #starts: readonly number[];
  readonly #size: number;

  constructor(path: string, stretches: readonly Stretch[]) {
    this.path = path;
    this.#stretches = stretches;
    let size = 0;
    this.#starts = stretches.map(({ length }) => {
      size += length;
      return size - length;
    });
    this.#size = size;
  }

  async size(): Promise<number> {
    return this.#size;
  }

  /** What one of the files lacks of its stretch reads as zeros: only the end of the last stretch is the end of file. */
  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const end = Math.min(hostOffset + into.length, this.#size);
    for (let at = this.#indexOf(hostOffset); at < this.#stretches.length; at++) {
      const { storage, hostOffset: from, length } = this.#stretches[at] as Stretch;
      const start = this.#starts[at] as number;
      if (start >= end) break;
      const first = Math.max(hostOffset, start);
      const last = Math.min(end, start + length);
      if (first >= last) continue;
      const part = into.subarray(first - hostOffset, last - hostOffset);
      part.fill(0, await storage.read(from + first - start, part));
    }
    return Math.max(0, end - hostOffset);
  }

  /** The stretch that holds a byte, and where in its file that lies. */
  stretchAt(hostOffset: number): { readonly index: number; readonly storage: Storage; readonly hostOffset: number } {
    const index = this.#indexOf(hostOffset);
    const found = this.#stretches[index];
    if (found === undefined) throw new RangeError(`Cannot find what lies at ${hostOffset}: there are no stretches`);
    const start = this.#starts[index] as number;
    return { index, storage: found.storage, hostOffset: found.hostOffset + hostOffset - start };
  }

  /** Where a stretch begins; undefined for none. */
  protected startOf(index: number): number | undefined {
    return this.#starts[index];
  }

  /** Of the last that begins there or before. */
  #indexOf(hostOffset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= hostOffset) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** What a file can't tell is data. Each file is asked once. */
  async dataRanges(): Promise<RangeSet | undefined> {
    const told = new Map<Storage, RangeSet | undefined>();
    const ranges = new RangeSet();
    let start = 0;
    for (const { storage, hostOffset, length } of this.#stretches) {
      if (!told.has(storage)) told.set(storage, await storage.dataRanges?.());
      const data = told.get(storage)?.clippedTo(hostOffset, hostOffset + length);
      if (data === undefined) ranges.add(start, start + length);
      for (const range of data?.each() ?? [])
        ranges.add(range.start - hostOffset + start, range.end - hostOffset + start);
      start += length;
    }
    return ranges;
  }

  async close(): Promise<void> {}
}
