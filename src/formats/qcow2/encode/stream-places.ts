/**
 * Where streams go: byte by byte one behind another, over the borders of clusters that lie side by side.
 *
 *   cluster   | a a a b b | b b c - | taken | d d ...        each new batch begins at a block of its own
 */

import { alignUp, KiB } from "../../../bytes/align.ts";
import type { Bitmap } from "../../../bytes/bitmap.ts";

/** What a medium may write as a whole: no block holds streams of two batches. */
const BLOCK = 4 * KiB;
/** Room at the ends of runs that is remembered for a shorter stream. */
const MAX_GAPS = 16;

interface Gap {
  at: number;
  readonly end: number;
}

export class StreamPlaces {
  /** Clusters that may be taken: free at the last barrier. */
  readonly available: Bitmap;
  readonly #clusterSize: number;
  readonly #placeCount: number;
  /** Of the open run. */
  #at = 0;
  #end = 0;
  #gaps: Gap[] = [];
  /** No available cluster lies below. */
  #lowest: number;

  constructor(available: Bitmap, placeCount: number, clusterSize: number) {
    this.available = available;
    this.#placeCount = placeCount;
    this.#clusterSize = clusterSize;
    this.#lowest = available.nextMarked(0, placeCount);
  }

  /** Nothing points at these clusters since the last barrier. */
  give(cluster: number, count = 1): void {
    this.available.mark(cluster, count);
    this.#lowest = Math.min(this.#lowest, cluster);
  }

  /** A place for `length` bytes, at most a cluster, that ends at or below `limit`; undefined where there is none. */
  take(length: number, limit = Number.POSITIVE_INFINITY): number | undefined {
    for (const gap of this.#gaps) {
      if (gap.end - gap.at < length || gap.at + length > limit) continue;
      gap.at += length;
      return gap.at - length;
    }
    if (this.#end - this.#at < length && this.#isAvailable(this.#end) && this.#at + length <= limit) this.#claim();
    if (this.#end - this.#at < length) {
      this.#lowest = this.available.nextMarked(this.#lowest, this.#placeCount);
      const hostOffset = this.#lowest * this.#clusterSize;
      if (this.#lowest >= this.#placeCount || hostOffset + length > limit) return undefined;
      this.#leave(this.#at);
      this.#at = hostOffset;
      this.#end = hostOffset;
      this.#claim();
    }
    if (this.#at + length > limit) return undefined;
    this.#at += length;
    return this.#at - length;
  }

  /** What was taken so far is no more to be touched. */
  seal(): void {
    this.#at = this.#blockEnd(this.#at);
    for (const gap of this.#gaps) gap.at = this.#blockEnd(gap.at);
    this.#gaps = this.#gaps.filter((gap) => gap.at < gap.end);
    if (this.#at > this.#end) this.#at = this.#end;
    // What has become free below comes first.
    if (this.available.nextMarked(0, this.#placeCount) * this.#clusterSize >= this.#at) return;
    this.#leave(this.#at);
    this.#at = this.#end = 0;
  }

  #blockEnd(at: number): number {
    return alignUp(at, Math.min(BLOCK, this.#clusterSize));
  }

  #leave(at: number): void {
    if (at >= this.#end) return;
    this.#gaps.push({ at, end: this.#end });
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  #isAvailable(hostOffset: number): boolean {
    const cluster = hostOffset / this.#clusterSize;
    return this.#end > 0 && cluster < this.#placeCount && this.available.has(cluster);
  }

  #claim(): void {
    this.available.clear(this.#end / this.#clusterSize, 1);
    this.#end += this.#clusterSize;
  }
}
