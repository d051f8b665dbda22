/**
 * How often each host cluster is referenced, in pages that are made at their first reference.
 *
 * A page lists its clusters while they are few and counts each once; then it is a bitmap, with the counts of a few
 * clusters beside it that count more than one, so a healthy image costs one bit a cluster, and one with damage here and
 * there hardly more; it widens by itself to 8, 32 and 64 bits a cluster.
 * Nothing is allocated for what nobody references, whatever the file's length or an offset claims.
 */

import { ImageError } from "../../../bytes/image-error.ts";

/** Clusters of one page; a power of two. */
export const PAGE_CLUSTERS = 32_768;
const PAGE_BITS = 15;
const BITMAP_BYTES = PAGE_CLUSTERS / 8;

/** Pages of a hostile image are bounded by this many bytes; a 1 TiB image of 64 KiB clusters needs 2 MiB. */
const MAX_PAGE_BYTES = 192 * 1024 * 1024;
/** Clusters that a page lists before it becomes a bitmap. */
const MAX_LISTED = 32;
/** What a page costs that lists its clusters, at the most. */
const LIST_BYTES = 512;
/** Clusters of a page with a bitmap that may count more than one; what their counts take. */
const MAX_REPEATED = 64;
const REPEATED_BYTES = 4096;
/** The largest count beside a bitmap, which a page that widens has room for at once. */
const MAX_REPEATS = 0xff;
/** Bitmaps made together; an ArrayBuffer of its own for each costs more than its bytes. */
const BITMAPS_PER_SLAB = 16;
/** Pages found by their index alone, without hashing: 128 TiB of 64 KiB clusters. */
const MAX_NEAR_PAGES = 65_536;

type Counts = Uint8Array | Uint32Array | Float64Array;

/** Counts of PAGE_CLUSTERS clusters; exactly one of `listed`, `bitmap` and `counts` is there. */
interface Page {
  /** Clusters that count one each, in any order. */
  listed: number[] | undefined;
  /** Clusters that count at all. */
  bitmap: Uint8Array | undefined;
  /** Of those in the bitmap, counts of more than one. */
  repeated: Map<number, number> | undefined;
  counts: Counts | undefined;
}

export class ReferenceCounts {
  #near: (Page | undefined)[] = [];
  readonly #far = new Map<number, Page>();
  #bytes = 0;
  #slab: Uint8Array | undefined;
  #freeInSlab = 0;
  /** Stands in for the bitmap of a page that lists its clusters. */
  #lent: Uint8Array | undefined;

  /** Counts `times` references to each of `clusterCount` clusters from `firstCluster` on. */
  add(firstCluster: number, clusterCount = 1, times = 1): void {
    if (times === 0) return;
    if (clusterCount === 1 && times === 1 && firstCluster < MAX_NEAR_PAGES * PAGE_CLUSTERS) {
      // Where clusters lie in no order this is called for each of them.
      const bitmap = this.#near[firstCluster >>> PAGE_BITS]?.bitmap;
      if (bitmap !== undefined) {
        const at = (firstCluster & (PAGE_CLUSTERS - 1)) >>> 3;
        const bits = bitmap[at] as number;
        const bit = 1 << (firstCluster & 7);
        if ((bits & bit) === 0) {
          bitmap[at] = bits | bit;
          return;
        }
      }
    }
    let cluster = firstCluster;
    const end = firstCluster + clusterCount;
    while (cluster < end) {
      const index = Math.floor(cluster / PAGE_CLUSTERS);
      const pageStart = index * PAGE_CLUSTERS;
      const stop = Math.min(end, pageStart + PAGE_CLUSTERS);
      this.#addToPage(this.#pageFor(index), cluster - pageStart, stop - pageStart, times);
      cluster = stop;
    }
  }

  get(cluster: number): number {
    const index = Math.floor(cluster / PAGE_CLUSTERS);
    const page = this.#pageAt(index);
    return page === undefined ? 0 : countIn(page, cluster - index * PAGE_CLUSTERS);
  }

  /** True where no cluster of [firstCluster, firstCluster + clusterCount) has a page: all their counts are 0. */
  isBlank(firstCluster: number, clusterCount: number): boolean {
    const last = Math.floor((firstCluster + clusterCount - 1) / PAGE_CLUSTERS);
    for (let index = Math.floor(firstCluster / PAGE_CLUSTERS); index <= last; index++) {
      if (this.#pageAt(index) !== undefined) return false;
    }
    return true;
  }

  /** True where each cluster of [firstCluster, firstCluster + clusterCount) counts one. */
  areOne(firstCluster: number, clusterCount: number): boolean {
    return this.#pagesIn(firstCluster, clusterCount, (page, from, to) => {
      if (page?.bitmap !== undefined) return areSet(page.bitmap, from, to) && !repeatsIn(page, from, to);
      for (let slot = from; slot < to; slot++) if (page === undefined || countIn(page, slot) !== 1) return false;
      return true;
    });
  }

  /** True where none of them is referenced. */
  areUnused(firstCluster: number, clusterCount: number): boolean {
    return this.#pagesIn(firstCluster, clusterCount, (page, from, to) => {
      if (page?.listed !== undefined) return !page.listed.some((slot) => slot >= from && slot < to);
      for (let slot = from; slot < to && page !== undefined; slot++) if (countIn(page, slot) > 0) return false;
      return true;
    });
  }

  /** Clusters that are referenced at all, ascending, with their counts. */
  *each(): Generator<{ readonly cluster: number; readonly count: number }> {
    for (const index of this.pageIndexes()) yield* this.eachIn(index);
  }

  /** The same of one page. */
  *eachIn(pageIndex: number): Generator<{ readonly cluster: number; readonly count: number }> {
    const page = this.#pageAt(pageIndex);
    if (page === undefined) return;
    const start = pageIndex * PAGE_CLUSTERS;
    if (page.listed !== undefined) {
      for (const slot of page.listed.toSorted((a, b) => a - b)) yield { cluster: start + slot, count: 1 };
      return;
    }
    for (let slot = 0; slot < PAGE_CLUSTERS; slot++) {
      if (page.bitmap !== undefined && page.bitmap[slot >>> 3] === 0) {
        slot |= 7;
        continue;
      }
      const count = countIn(page, slot);
      if (count > 0) yield { cluster: start + slot, count };
    }
  }

  /** Clusters of one page that count more than one, ascending, with their counts. */
  *repeatedIn(pageIndex: number): Generator<{ readonly cluster: number; readonly count: number }> {
    const page = this.#pageAt(pageIndex);
    const start = pageIndex * PAGE_CLUSTERS;
    if (page?.counts !== undefined) {
      for (const [slot, count] of page.counts.entries()) if (count > 1) yield { cluster: start + slot, count };
    } else if (page?.repeated !== undefined) {
      for (const slot of [...page.repeated.keys()].sort((a, b) => a - b)) {
        yield { cluster: start + slot, count: countIn(page, slot) };
      }
    }
  }

  /** Pages that exist, ascending; page i holds clusters from i * PAGE_CLUSTERS on. */
  pageIndexes(): number[] {
    const indexes = [...this.#far.keys()].sort((a, b) => a - b);
    const near: number[] = [];
    for (const [index, page] of this.#near.entries()) if (page !== undefined) near.push(index);
    return near.concat(indexes);
  }

  /**
   * The bitmap of a page in which no count exceeds one, least significant bit first; undefined where one does. Valid
   * until the next question.
   */
  bitmapOf(pageIndex: number): Uint8Array | undefined {
    return this.#pageAt(pageIndex)?.repeated === undefined ? this.usedOf(pageIndex) : undefined;
  }

  /** The same of those that count at all, of which `repeatedIn` tells the rest; undefined where too many count more. */
  usedOf(pageIndex: number): Uint8Array | undefined {
    const page = this.#pageAt(pageIndex);
    if (page === undefined) return NO_REFERENCES;
    if (page.listed === undefined) return page.bitmap;
    this.#lent ??= new Uint8Array(BITMAP_BYTES);
    this.#lent.fill(0);
    for (const slot of page.listed) setBit(this.#lent, slot);
    return this.#lent;
  }

  /** Asks about each page's share [from, to) of the clusters; true where all answers are. */
  #pagesIn(
    firstCluster: number,
    clusterCount: number,
    holds: (page: Page | undefined, from: number, to: number) => boolean,
  ): boolean {
    const end = firstCluster + clusterCount;
    for (let cluster = firstCluster; cluster < end; ) {
      const index = Math.floor(cluster / PAGE_CLUSTERS);
      const pageStart = index * PAGE_CLUSTERS;
      const stop = Math.min(end, pageStart + PAGE_CLUSTERS);
      if (!holds(this.#pageAt(index), cluster - pageStart, stop - pageStart)) return false;
      cluster = stop;
    }
    return true;
  }

  #addToPage(page: Page, from: number, to: number, times: number): void {
    const { listed } = page;
    if (listed !== undefined) {
      if (times === 1 && to - from === 1 && listed.length < MAX_LISTED && !listed.includes(from)) {
        listed.push(from);
        return;
      }
      this.#makeBitmap(page, listed);
    }
    if (page.bitmap !== undefined) {
      if (times === 1 && setFreshBits(page.bitmap, from, to)) return;
      if (this.#repeat(page, page.bitmap, from, to, times)) return;
      this.#widen(page, 1);
    }
    let counts = page.counts as Counts;
    for (let slot = from; slot < to; slot++) {
      const sum = (counts[slot] as number) + times;
      if (sum > 0xff && counts.BYTES_PER_ELEMENT === 1) counts = this.#widen(page, 4);
      if (sum > 0xffff_ffff && counts.BYTES_PER_ELEMENT === 4) counts = this.#widen(page, 8);
      counts[slot] = sum;
    }
  }

  /** Counts beside the bitmap; false where that would be too many, and nothing has changed. */
  #repeat(page: Page, bitmap: Uint8Array, from: number, to: number, times: number): boolean {
    const repeated = page.repeated ?? new Map<number, number>();
    const counted: number[] = [];
    for (let slot = from; slot < to; slot++) {
      if (times === 1 && bitmap[slot >>> 3] === 0) slot |= 7;
      else if (times > 1 || hasBit(bitmap, slot)) counted.push(slot);
      if (counted.length + repeated.size > MAX_REPEATED) return false;
    }
    if (counted.some((slot) => countIn(page, slot) + times > MAX_REPEATS)) return false;
    for (const slot of counted) repeated.set(slot, countIn(page, slot) + times);
    if (page.repeated === undefined) this.#account(REPEATED_BYTES);
    page.repeated = repeated;
    setBits(bitmap, from, to);
    return true;
  }

  #makeBitmap(page: Page, listed: readonly number[]): void {
    if (this.#slab === undefined || this.#freeInSlab === 0) {
      this.#account(BITMAPS_PER_SLAB * BITMAP_BYTES);
      this.#slab = new Uint8Array(BITMAPS_PER_SLAB * BITMAP_BYTES);
      this.#freeInSlab = BITMAPS_PER_SLAB;
    }
    const start = --this.#freeInSlab * BITMAP_BYTES;
    const bitmap = this.#slab.subarray(start, start + BITMAP_BYTES);
    for (const slot of listed) setBit(bitmap, slot);
    page.bitmap = bitmap;
    page.listed = undefined;
  }

  #widen(page: Page, bytesPerCount: 1 | 4 | 8): Counts {
    this.#account(bytesPerCount * PAGE_CLUSTERS);
    const wide =
      bytesPerCount === 1
        ? new Uint8Array(PAGE_CLUSTERS)
        : bytesPerCount === 4
          ? new Uint32Array(PAGE_CLUSTERS)
          : new Float64Array(PAGE_CLUSTERS);
    for (let slot = 0; slot < PAGE_CLUSTERS; slot++) wide[slot] = countIn(page, slot);
    this.#bytes -= (page.counts?.byteLength ?? 0) + (page.repeated === undefined ? 0 : REPEATED_BYTES);
    page.bitmap = undefined;
    page.repeated = undefined;
    page.counts = wide;
    return wide;
  }

  #pageAt(index: number): Page | undefined {
    return index < MAX_NEAR_PAGES ? this.#near[index] : this.#far.get(index);
  }

  #pageFor(index: number): Page {
    const found = this.#pageAt(index);
    if (found !== undefined) return found;
    this.#account(LIST_BYTES);
    const page: Page = { listed: [], bitmap: undefined, repeated: undefined, counts: undefined };
    if (index < MAX_NEAR_PAGES) {
      // Without holes in front of it the array stays one that is indexed fast.
      while (this.#near.length <= index) this.#near.push(undefined);
      this.#near[index] = page;
    } else this.#far.set(index, page);
    return page;
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_PAGE_BYTES) {
      throw new ImageError(
        "unsupported",
        "Cannot count the references of this image: they are scattered over more of the file than memory allows",
        { format: "qcow2", structure: "references" },
      );
    }
  }
}

const NO_REFERENCES = new Uint8Array(BITMAP_BYTES);

function countIn(page: Page, slot: number): number {
  if (page.bitmap !== undefined) return page.repeated?.get(slot) ?? (hasBit(page.bitmap, slot) ? 1 : 0);
  if (page.counts !== undefined) return page.counts[slot] as number;
  return page.listed?.includes(slot) ? 1 : 0;
}

function repeatsIn({ repeated }: Page, from: number, to: number): boolean {
  if (repeated === undefined) return false;
  for (const slot of repeated.keys()) if (slot >= from && slot < to) return true;
  return false;
}

function hasBit(bitmap: Uint8Array, slot: number): boolean {
  return (((bitmap[slot >>> 3] as number) >>> (slot & 7)) & 1) === 1;
}

function setBit(bitmap: Uint8Array, slot: number): void {
  bitmap[slot >>> 3] = (bitmap[slot >>> 3] as number) | (1 << (slot & 7));
}

/** Sets bits [from, to) if none of them is set; otherwise changes nothing and returns false. */
function setFreshBits(bitmap: Uint8Array, from: number, to: number): boolean {
  const firstByte = from >>> 3;
  const lastByte = (to - 1) >>> 3;
  const headMask = (0xff << (from & 7)) & 0xff;
  const tailMask = 0xff >>> (7 - ((to - 1) & 7));
  if (firstByte === lastByte) {
    if (((bitmap[firstByte] as number) & headMask & tailMask) !== 0) return false;
  } else {
    if (((bitmap[firstByte] as number) & headMask) !== 0 || ((bitmap[lastByte] as number) & tailMask) !== 0)
      return false;
    for (let at = firstByte + 1; at < lastByte; at++) if (bitmap[at] !== 0) return false;
  }
  setBits(bitmap, from, to);
  return true;
}

function areSet(bitmap: Uint8Array, from: number, to: number): boolean {
  for (let slot = from; slot < to; slot++) {
    if ((slot & 7) === 0 && slot + 8 <= to && bitmap[slot >>> 3] === 0xff) slot += 7;
    else if (!hasBit(bitmap, slot)) return false;
  }
  return true;
}

function setBits(bitmap: Uint8Array, from: number, to: number): void {
  const firstByte = from >>> 3;
  const lastByte = (to - 1) >>> 3;
  const headMask = (0xff << (from & 7)) & 0xff;
  const tailMask = 0xff >>> (7 - ((to - 1) & 7));
  if (firstByte === lastByte) {
    bitmap[firstByte] = (bitmap[firstByte] as number) | (headMask & tailMask);
    return;
  }
  bitmap[firstByte] = (bitmap[firstByte] as number) | headMask;
  bitmap.fill(0xff, firstByte + 1, lastByte);
  bitmap[lastByte] = (bitmap[lastByte] as number) | tailMask;
}
