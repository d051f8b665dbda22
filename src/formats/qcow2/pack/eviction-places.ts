/**
 * Where units go that lie in the way: clusters that others have left, the last ones first, since what is brought to its place
 * comes from below; else those behind all data. It counts how many are taken that the file may have no space for, so that as
 * many are given back of those that are left.
 */

import { alignUp, KiB } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import { RangeSet } from "../../../bytes/range-set.ts";

/** What a medium may write as a whole: no block holds units of two batches. */
const BLOCK = 4 * KiB;
const NONE = -1;

export class EvictionPlaces {
  readonly #left: Bitmap;
  readonly #clusterSize: number;
  readonly #placeCount: number;
  /** Where nothing lay yet, or what lay there was given back. */
  readonly #blank: Bitmap;
  /** How many of those have been written to, less those given back. */
  #debt = 0;
  /** The first that nobody has used yet. */
  #fresh: number;
  /** That streams are being put into, and how far it is full. */
  #open = NONE;
  #at = 0;

  /** `fresh` to `placeCount`: clusters behind all data, which nothing lies in; `blank`: all such, and that may be holes. */
  constructor(fresh: number, placeCount: number, clusterSize: number, blank: Bitmap) {
    this.#left = new Bitmap(placeCount);
    this.#blank = blank;
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
    for (let each = this.#left.nextMarked(start, end); each < end; each = this.#left.nextMarked(each + 1, end))
      this.#left.clear(each, 1);
    this.#fresh = Math.max(this.#fresh, end);
    if (this.#open >= start && this.#open < end) this.#open = NONE;
  }

  /** These are written to. */
  fill(start: number, end: number): void {
    for (let each = this.#blank.nextMarked(start, end); each < end; each = this.#blank.nextMarked(each + 1, end))
      this.#write(each);
  }

  /** Of what is left, as much as has been taken beyond `allowed` clusters, not below `least`; undefined where it is nothing. */
  giveBack(allowed: number, least: number): RangeSet | undefined {
    if (this.#debt <= allowed) return undefined;
    const places = new RangeSet();
    while (this.#debt > 0) {
      const last = this.#left.markedEndBelow(this.#placeCount) - 1;
      if (last < least) break;
      this.#left.clear(last, 1);
      this.#blank.mark(last, 1);
      this.#debt--;
      places.add(last * this.#clusterSize, (last + 1) * this.#clusterSize);
    }
    return places.total > 0 ? places : undefined;
  }

  #write(cluster: number): void {
    if (!this.#blank.has(cluster)) return;
    this.#blank.clear(cluster, 1);
    this.#debt++;
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
    const last = this.#left.markedEndBelow(this.#placeCount) - 1;
    if (last >= least) {
      this.#left.clear(last, 1);
      return last;
    }
    const fresh = Math.max(this.#fresh, least);
    // What was given back before is the last resort.
    const cluster = fresh < this.#placeCount ? fresh : this.#blank.markedEndBelow(this.#fresh) - 1;
    if (cluster < least) return undefined;
    this.#fresh = Math.max(this.#fresh, Math.min(cluster + 1, this.#placeCount));
    this.#write(cluster);
    return cluster;
  }
}
