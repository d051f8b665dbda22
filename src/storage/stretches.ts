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
  readonly #size: number;

  constructor(path: string, stretches: readonly Stretch[]) {
    this.path = path;
    this.#stretches = stretches;
    this.#size = stretches.reduce((sum, { length }) => sum + length, 0);
  }

  async size(): Promise<number> {
    return this.#size;
  }

  /** What one of the files lacks of its stretch reads as zeros: only the end of the last stretch is the end of file. */
  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const end = Math.min(hostOffset + into.length, this.#size);
    let start = 0;
    for (const { storage, hostOffset: from, length } of this.#stretches) {
      const first = Math.max(hostOffset, start);
      const last = Math.min(end, start + length);
      if (first < last) {
        const part = into.subarray(first - hostOffset, last - hostOffset);
        part.fill(0, await storage.read(from + first - start, part));
      }
      start += length;
    }
    return Math.max(0, end - hostOffset);
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
