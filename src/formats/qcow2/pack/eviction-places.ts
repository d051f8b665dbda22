/**
 * Where units go that lie in the way: clusters that others have left, the last ones first, since what is brought to its place
 * comes from below; else those behind all data.
 */

import { alignUp, KiB } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";

/** What a medium may write as a whole: no block holds units of two batches. */
const BLOCK = 4 * KiB;
const NONE = -1;

export class EvictionPlaces {
  readonly #left: Bitmap;
  readonly #clusterSize: number;
  readonly #placeCount: number;
  /** The first that nobody has used yet. */
  #fresh: number;
  /** That streams are being put into, and how far it is full. */
  #open = NONE;
  #at = 0;

  /** `fresh` to `placeCount`: clusters behind all data, which nothing lies in. */
  constructor(fresh: number, placeCount: number, clusterSize: number) {
    this.#left = new Bitmap(placeCount);
    this.#fresh = fresh;
    this.#placeCount = placeCount;
    this.#clusterSize = clusterSize;
  }

  /** Nothing points at the cluster since the last barrier. */
  give(cluster: number): void {
    if (cluster === this.#open) this.#open = NONE;
    this.#left.mark(cluster, 1);
  }

  /** These are nobody's to be taken from now on. */
  bar(start: number, end: number): void {
    this.#left.clear(start, end - start);
    this.#fresh = Math.max(this.#fresh, end);
    if (this.#open >= start && this.#open < end) this.#open = NONE;
  }

  /** What was taken so far is no more to be touched. */
  seal(): void {
    this.#at = alignUp(this.#at, Math.min(BLOCK, this.#clusterSize));
  }

  /** A place for `length` bytes, at most a cluster, in a cluster not below `least`; undefined where there is none. */
  take(length: number, least: number): number | undefined {
    if (this.#open < least || this.#clusterSize - this.#at < length) {
      const cluster = this.#cluster(least);
      if (cluster === undefined) return undefined;
      // Whole clusters leave the open one as it is.
      if (length === this.#clusterSize) return cluster * this.#clusterSize;
      this.#open = cluster;
      this.#at = 0;
    }
    this.#at += length;
    return this.#open * this.#clusterSize + this.#at - length;
  }

  #cluster(least: number): number | undefined {
    const last = this.#left.markedEnd - 1;
    if (last >= least) {
      this.#left.clear(last, 1);
      return last;
    }
    const fresh = Math.max(this.#fresh, least);
    if (fresh >= this.#placeCount) return undefined;
    this.#fresh = fresh + 1;
    return fresh;
  }
}
