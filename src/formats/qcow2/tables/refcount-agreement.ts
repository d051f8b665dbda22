/**
 * Tells of many clusters at once whether their refcounts are as counted, which those of almost all clusters are: the
 * two loops that compare every refcount of an image spend their time here.
 */

import { asWord, wordsOf } from "../../../bytes/words.ts";
import { PAGE_CLUSTERS, type ReferenceCounts } from "./reference-counts.ts";

/** Refcounts of one block, as far as they are those of one page of counts. */
export interface RefcountStretch {
  readonly block: Uint8Array;
  readonly refcountBits: number;
  /** The cluster that the block's first refcount counts. */
  readonly firstOfBlock: number;
  /** Clusters [first, end), from a multiple of eight on. */
  readonly first: number;
  readonly end: number;
  /** Bits of the page's clusters that are referenced at all. */
  readonly used: Uint8Array;
  /** Bits of those that have to be looked at one by one. */
  readonly amiss: Uint8Array;
}

/** Clusters [first, end) that all agree, or that have to be looked at one by one. */
export interface Judged {
  readonly first: number;
  readonly end: number;
  readonly agrees: boolean;
}

/** Parts the stretch; what agrees is a refcount of 1 for each cluster that is used, and of 0 for each that is not. */
export function* judge(stretch: RefcountStretch): Generator<Judged> {
  const { block, end } = stretch;
  const words = wordsOf(block);
  for (let first = stretch.first; first < end; ) {
    const agreed = endOfAgreement(stretch, words, first);
    if (agreed > first) yield { first, end: agreed, agrees: true };
    first = Math.min(agreed + 8, end);
    if (agreed < end) yield { first: agreed, end: first, agrees: false };
  }
}

/**
 * Clusters of a page that no bitmap says all of: those that count more than one, and those of which `others` know.
 * Undefined where there are too many of them.
 */
export function amissIn(page: number, counts: ReferenceCounts, others: ReferenceCounts): Uint8Array | undefined {
  const known = others.usedOf(page);
  let amiss: Uint8Array | undefined;
  for (const { cluster } of counts.repeatedIn(page)) {
    amiss ??= known?.slice();
    if (amiss === undefined) return undefined;
    const slot = cluster - page * PAGE_CLUSTERS;
    amiss[slot >>> 3] = (amiss[slot >>> 3] as number) | (1 << (slot & 7));
  }
  return amiss ?? known;
}

/** The last cluster of [first, end) that is used, in a page that begins with `pageStart`; -1 for none. */
export function lastUsed(used: Uint8Array, pageStart: number, first: number, end: number): number {
  for (let at = (end - pageStart - 1) >>> 3; at >= (first - pageStart) >>> 3; at--) {
    const bits = used[at] as number;
    if (bits !== 0) return pageStart + at * 8 + 31 - Math.clz32(bits);
  }
  return -1;
}

/** One past the last cluster that agrees from `first` on; eight by eight, but for the usual case. */
function endOfAgreement(stretch: RefcountStretch, words: Int32Array, first: number): number {
  const end = first + ((stretch.end - first) & ~7);
  if (areAllOne(stretch, first, end)) return end;
  const { block, refcountBits, firstOfBlock, used, amiss } = stretch;
  let byte = (first % PAGE_CLUSTERS) >>> 3;
  let cluster = first;
  for (; cluster < end && amiss[byte] === 0; cluster += 8, byte++) {
    const bits = used[byte] as number;
    const at = ((cluster - firstOfBlock) / 8) * refcountBits;
    const agrees =
      refcountBits === 16 ? agreesIn16Bits(words, at / 4, bits) : bits === 0 && isZero(block, at, refcountBits);
    if (!agrees) break;
  }
  return cluster;
}

/** 16-bit refcounts of 1, and their bits. */
const ONES = Buffer.alloc(PAGE_CLUSTERS * 2, Uint8Array.of(0, 1));
const ONE_BITS = Buffer.alloc(PAGE_CLUSTERS / 8, 0xff);
const NO_BITS = Buffer.alloc(PAGE_CLUSTERS / 8);

/** The most usual case of all: 16-bit refcounts of 1, each counted once, and nothing amiss. */
function areAllOne(
  { block, refcountBits, firstOfBlock, used, amiss }: RefcountStretch,
  first: number,
  end: number,
): boolean {
  if (refcountBits !== 16 || first === end) return false;
  const from = (first % PAGE_CLUSTERS) >>> 3;
  const size = (end - first) >>> 3;
  const stored = block.subarray((first - firstOfBlock) * 2, (end - firstOfBlock) * 2);
  return (
    Buffer.compare(used.subarray(from, from + size), ONE_BITS.subarray(0, size)) === 0 &&
    Buffer.compare(stored, ONES.subarray(0, stored.length)) === 0 &&
    Buffer.compare(amiss.subarray(from, from + size), NO_BITS.subarray(0, size)) === 0
  );
}

/** Two 16-bit refcounts as one word, by the two bits that were counted. */
const PAIRS = [0x0000_0000, 0x0001_0000, 0x0000_0001, 0x0001_0001].map(asWord);

function agreesIn16Bits(words: Int32Array, at: number, bits: number): boolean {
  return (
    words[at] === PAIRS[bits & 3] &&
    words[at + 1] === PAIRS[(bits >>> 2) & 3] &&
    words[at + 2] === PAIRS[(bits >>> 4) & 3] &&
    words[at + 3] === PAIRS[bits >>> 6]
  );
}

function isZero(block: Uint8Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (block[at] !== 0) return false;
  return true;
}
