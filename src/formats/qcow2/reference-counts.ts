/**
 * How often each host cluster is referenced, in pages that are made at their first reference.
 *
 * A page is a bitmap while no cluster in it counts more than one, so a healthy image costs one bit a cluster; a page
 * widens by itself to 8, 32 and 64 bits a cluster. Nothing is allocated for what nobody references, whatever the
 * file's length or an offset claims.
 */

import { ImageError } from "../../bytes/image-error.ts";

/** Clusters of one page; a power of two. */
export const PAGE_CLUSTERS = 32_768;

/** Pages of a hostile image are bounded by this many bytes; a 1 TiB image of 64 KiB clusters needs 2 MiB. */
const MAX_PAGE_BYTES = 192 * 1024 * 1024;

type Counts = Uint8Array | Uint32Array | Float64Array;

/** Counts of PAGE_CLUSTERS clusters: a bitmap, or an array of counts. */
interface Page {
  bitmap: Uint8Array | undefined;
  counts: Counts | undefined;
}

export class ReferenceCounts {
  readonly #pages = new Map<number, Page>();
  #bytes = 0;
  #lastIndex = -1;
  #lastPage: Page | undefined;

  /** Counts `times` references to each of `clusterCount` clusters from `firstCluster` on. */
  add(firstCluster: number, clusterCount = 1, times = 1): void {
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
    const page = index === this.#lastIndex ? this.#lastPage : this.#pages.get(index);
    return page === undefined ? 0 : countIn(page, cluster - index * PAGE_CLUSTERS);
  }

  /** True where no cluster of [firstCluster, firstCluster + clusterCount) has a page: all their counts are 0. */
  isBlank(firstCluster: number, clusterCount: number): boolean {
    const last = Math.floor((firstCluster + clusterCount - 1) / PAGE_CLUSTERS);
    for (let index = Math.floor(firstCluster / PAGE_CLUSTERS); index <= last; index++) {
      if (this.#pages.has(index)) return false;
    }
    return true;
  }

  /** Clusters that are referenced at all, ascending, with their counts. */
  *each(): Generator<{ readonly cluster: number; readonly count: number }> {
    for (const index of this.pageIndexes()) yield* this.eachIn(index);
  }

  /** The same of one page. */
  *eachIn(pageIndex: number): Generator<{ readonly cluster: number; readonly count: number }> {
    const page = this.#pages.get(pageIndex);
    if (page === undefined) return;
    for (let slot = 0; slot < PAGE_CLUSTERS; slot++) {
      if (page.bitmap !== undefined && page.bitmap[slot >>> 3] === 0) {
        slot |= 7;
        continue;
      }
      const count = countIn(page, slot);
      if (count > 0) yield { cluster: pageIndex * PAGE_CLUSTERS + slot, count };
    }
  }

  /** Pages that exist, ascending; page i holds clusters from i * PAGE_CLUSTERS on. */
  pageIndexes(): number[] {
    return [...this.#pages.keys()].sort((a, b) => a - b);
  }

  /** The bitmap of a page in which no count exceeds one, least significant bit first; undefined where one does. */
  bitmapOf(pageIndex: number): Uint8Array | undefined {
    const page = this.#pages.get(pageIndex);
    return page === undefined ? NO_REFERENCES : page.bitmap;
  }

  #addToPage(page: Page, from: number, to: number, times: number): void {
    if (page.bitmap !== undefined) {
      if (times === 1 && setFreshBits(page.bitmap, from, to)) return;
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

  #widen(page: Page, bytesPerCount: 1 | 4 | 8): Counts {
    this.#account(bytesPerCount * PAGE_CLUSTERS);
    const wide =
      bytesPerCount === 1
        ? new Uint8Array(PAGE_CLUSTERS)
        : bytesPerCount === 4
          ? new Uint32Array(PAGE_CLUSTERS)
          : new Float64Array(PAGE_CLUSTERS);
    for (let slot = 0; slot < PAGE_CLUSTERS; slot++) wide[slot] = countIn(page, slot);
    this.#bytes -= page.bitmap?.byteLength ?? page.counts?.byteLength ?? 0;
    page.bitmap = undefined;
    page.counts = wide;
    return wide;
  }

  #pageFor(index: number): Page {
    if (index === this.#lastIndex) return this.#lastPage as Page;
    let page = this.#pages.get(index);
    if (page === undefined) {
      this.#account(PAGE_CLUSTERS / 8);
      page = { bitmap: new Uint8Array(PAGE_CLUSTERS / 8), counts: undefined };
      this.#pages.set(index, page);
    }
    this.#lastIndex = index;
    this.#lastPage = page;
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

const NO_REFERENCES = new Uint8Array(PAGE_CLUSTERS / 8);

function countIn(page: Page, slot: number): number {
  if (page.bitmap === undefined) return (page.counts as Counts)[slot] as number;
  return ((page.bitmap[slot >>> 3] as number) >>> (slot & 7)) & 1;
}

/** Sets bits [from, to) if none of them is set; otherwise changes nothing and returns false. */
function setFreshBits(bitmap: Uint8Array, from: number, to: number): boolean {
  const firstByte = from >>> 3;
  const lastByte = (to - 1) >>> 3;
  const headMask = (0xff << (from & 7)) & 0xff;
  const tailMask = 0xff >>> (7 - ((to - 1) & 7));
  if (firstByte === lastByte) {
    const mask = headMask & tailMask;
    if (((bitmap[firstByte] as number) & mask) !== 0) return false;
    bitmap[firstByte] = (bitmap[firstByte] as number) | mask;
    return true;
  }
  if (((bitmap[firstByte] as number) & headMask) !== 0 || ((bitmap[lastByte] as number) & tailMask) !== 0) return false;
  for (let at = firstByte + 1; at < lastByte; at++) if (bitmap[at] !== 0) return false;
  bitmap[firstByte] = (bitmap[firstByte] as number) | headMask;
  bitmap.fill(0xff, firstByte + 1, lastByte);
  bitmap[lastByte] = (bitmap[lastByte] as number) | tailMask;
  return true;
}
