/** Reads the entries of one L2 table as runs; the loop that every walk spends its time in. */

import { asWord, wordsOf } from "../../../bytes/words.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { compressedHostOffset, compressedLength, L2Mask, standardHostOffset } from "./l2-entry.ts";

/** What is wrong with an entry; `offset` names the host offset in question. */
export type L2Defect =
  | "reserved-bits"
  | "entry-unaligned"
  | "zero-flag-in-version-2"
  | "zero-flag-with-subclusters"
  | "copied-compressed"
  | "compressed-subclusters"
  | "invalid-subclusters"
  | "subclusters-without-cluster";

/** Hears the runs of one table, in order; together they cover every entry. */
export interface L2Sink {
  unallocated(entryCount: number): void;
  /** Zero clusters without a place in the file. */
  zeros(entryCount: number): void;
  /** `entryCount` clusters that lie one after the other; `isZero`: preallocated, but reading as zeros. */
  clusters(isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void;
  compressed(hostOffset: number, storedLength: number): void;
  /** One cluster whose subclusters differ; `hostOffset` 0: it has no place. Halves of the bitmap, signed. */
  subclusters(hostOffset: number, isCopied: boolean, allocated: number, zero: number): void;
  /** Said before the entry's own call. */
  defect(defect: L2Defect, entryIndex: number, hostOffset: number): void;
}

/** All 32 bits, signed. */
const ALL = -1;

export function scanL2Table(table: Uint8Array, geometry: Qcow2Geometry, sink: L2Sink): void {
  if (geometry.hasSubclusters) scanExtended(table, geometry, sink);
  else scanStandard(table, geometry, sink);
}

/*
 * Halves of entries are compared as signed numbers: V8's quick compiler knows getInt32 but not getUint32, and no half
 * is ever boxed. Where many follow each other they are taken eight at a time, as words in this machine's own order:
 * bits may be compared in any.
 */

/** Entries that are compared at once. */
const BLOCK = 8;

function scanStandard(table: Uint8Array, geometry: Qcow2Geometry, sink: L2Sink): void {
  const { clusterBits, clusterSize, l2EntryCount } = geometry;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const words = wordsOf(table);
  const steps = stepsOf(clusterSize);
  const alignmentLow = (clusterSize - 1) & ~0x1ff;
  let index = 0;
  while (index < l2EntryCount) {
    const high = view.getInt32(index * 8);
    const low = view.getInt32(index * 8 + 4);
    const first = index++;
    if (((high & L2Mask.offsetHigh) | (low & ~L2Mask.reservedLow) | (high & L2Mask.compressedHigh)) === 0) {
      // Neither place nor meaning; a COPIED flag or reserved bits may still be set.
      if (hasReservedBits(high, low)) sink.defect("reserved-bits", first, 0);
      if ((high | low) === 0) index = endOfBlank(words, index, l2EntryCount);
      sink.unallocated(index - first);
      continue;
    }
    if ((high & L2Mask.compressedHigh) !== 0) {
      passCompressed(high, low, first, clusterBits, sink);
      continue;
    }
    const isReserved = hasReservedBits(high, low);
    const hostOffset = standardHostOffset(high, low);
    if (isReserved) sink.defect("reserved-bits", first, hostOffset);
    const isZero = (low & L2Mask.zeroLow) !== 0;
    if (isZero && !geometry.hasZeroFlag) sink.defect("zero-flag-in-version-2", first, hostOffset);
    const isCopied = (high & L2Mask.copiedHigh) !== 0;
    if (hostOffset === 0) {
      while (index < l2EntryCount && view.getInt32(index * 8 + 4) === 1 && view.getInt32(index * 8) === 0) index++;
      sink.zeros(index - first);
      continue;
    }
    if ((low & alignmentLow) !== 0) {
      sink.defect("entry-unaligned", first, hostOffset);
    } else if (!isReserved) {
      index = endOfRun(view, words, index, high, low, steps);
    }
    sink.clusters(isZero, hostOffset, index - first, isCopied);
  }
}

/** One past the last of the entries from `from` on that are all zeros. */
function endOfBlank(words: Int32Array, from: number, end: number): number {
  let index = from;
  while (index + BLOCK <= end && isBlankBlock(words, index * 2)) index += BLOCK;
  while (index < end && ((words[index * 2] as number) | (words[index * 2 + 1] as number)) === 0) index++;
  return index;
}

function isBlankBlock(words: Int32Array, at: number): boolean {
  let bits = 0;
  for (let next = at; next < at + 2 * BLOCK; next++) bits |= words[next] as number;
  return bits === 0;
}

/** One past the last entry that continues (high, low): the same flags, each one cluster further. */
function endOfRun(view: DataView, words: Int32Array, from: number, high: number, low: number, steps: Steps): number {
  const { clusterSize } = steps;
  const end = words.length / 2;
  const lastOfBlock = (BLOCK - 1) * clusterSize;
  let index = from;
  let expectedHigh = high;
  let expectedLow = low;
  for (; index < end; index++) {
    expectedLow = (expectedLow + clusterSize) | 0;
    if ((expectedLow & -clusterSize) === 0) {
      // A carry out of the host offset's bits would change a flag.
      if ((expectedHigh & L2Mask.offsetHigh) === L2Mask.offsetHigh) break;
      expectedHigh++;
    }
    if (view.getInt32(index * 8 + 4) !== expectedLow || view.getInt32(index * 8) !== expectedHigh) break;
    // From a cluster on whose number is a multiple of eight nothing is carried in the seven after it.
    if ((expectedLow & lastOfBlock) === 0 && index + BLOCK <= end && continuesToBlock(words, index * 2, steps)) {
      index += BLOCK - 1;
      expectedLow |= lastOfBlock;
    }
  }
  return index;
}

/** Whether seven entries continue the one at `at`, whose cluster's number is a multiple of eight. */
function continuesToBlock(words: Int32Array, at: number, { one, two, four }: Steps): boolean {
  const high = words[at] as number;
  const low = words[at + 1] as number;
  const differences =
    ((words[at + 2] as number) ^ high) |
    ((words[at + 3] as number) ^ (low | one)) |
    ((words[at + 4] as number) ^ high) |
    ((words[at + 5] as number) ^ (low | two)) |
    ((words[at + 6] as number) ^ high) |
    ((words[at + 7] as number) ^ (low | two | one)) |
    ((words[at + 8] as number) ^ high) |
    ((words[at + 9] as number) ^ (low | four)) |
    ((words[at + 10] as number) ^ high) |
    ((words[at + 11] as number) ^ (low | four | one)) |
    ((words[at + 12] as number) ^ high) |
    ((words[at + 13] as number) ^ (low | four | two)) |
    ((words[at + 14] as number) ^ high) |
    ((words[at + 15] as number) ^ (low | four | two | one));
  return differences === 0;
}

/** What entries that follow each other differ by: one, two and four clusters in the low half, as this machine reads it. */
interface Steps {
  readonly clusterSize: number;
  readonly one: number;
  readonly two: number;
  readonly four: number;
}

function stepsOf(clusterSize: number): Steps {
  const [one, two, four] = [asWord(clusterSize), asWord(2 * clusterSize), asWord(4 * clusterSize)];
  return { clusterSize, one, two, four };
}

function scanExtended(table: Uint8Array, geometry: Qcow2Geometry, sink: L2Sink): void {
  const { clusterBits, clusterSize, l2EntryCount } = geometry;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let index = 0;
  while (index < l2EntryCount) {
    const high = view.getInt32(index * 16);
    const low = view.getInt32(index * 16 + 4);
    const zero = view.getInt32(index * 16 + 8);
    const allocated = view.getInt32(index * 16 + 12);
    const first = index++;
    if ((high | low | zero | allocated) === 0) {
      while (index < l2EntryCount && isBlank(view, index * 16)) index++;
      sink.unallocated(index - first);
      continue;
    }
    if ((high & L2Mask.compressedHigh) !== 0) {
      if ((zero | allocated) !== 0) {
        const hostOffset = compressedHostOffset(high, low, clusterBits);
        if ((high & L2Mask.copiedHigh) !== 0) sink.defect("copied-compressed", first, hostOffset);
        sink.defect("compressed-subclusters", first, hostOffset);
        sink.unallocated(1);
      } else passCompressed(high, low, first, clusterBits, sink);
      continue;
    }
    const hostOffset = standardHostOffset(high, low);
    const isCopied = (high & L2Mask.copiedHigh) !== 0;
    // Bit 0 is reserved here: the bitmap says what reads as zeros.
    if ((low & L2Mask.zeroLow) !== 0) sink.defect("zero-flag-with-subclusters", first, hostOffset);
    if (hasReservedBits(high, low)) sink.defect("reserved-bits", first, hostOffset);
    if (hostOffset === 0 && allocated !== 0) sink.defect("subclusters-without-cluster", first, hostOffset);
    else if ((zero & allocated) !== 0) sink.defect("invalid-subclusters", first, hostOffset);
    if (hostOffset % clusterSize !== 0) sink.defect("entry-unaligned", first, hostOffset);
    if (hostOffset === 0 && allocated === 0 && (zero === ALL || zero === 0)) {
      if (zero === ALL) sink.zeros(1);
      else sink.unallocated(1);
    } else if (hostOffset !== 0 && allocated === ALL && zero === 0) {
      sink.clusters(false, hostOffset, 1, isCopied);
    } else if (hostOffset !== 0 && allocated === 0 && zero === ALL) {
      sink.clusters(true, hostOffset, 1, isCopied);
    } else sink.subclusters(hostOffset, isCopied, allocated, zero);
  }
}

function passCompressed(high: number, low: number, index: number, clusterBits: number, sink: L2Sink): void {
  const hostOffset = compressedHostOffset(high, low, clusterBits);
  if ((high & L2Mask.copiedHigh) !== 0) sink.defect("copied-compressed", index, hostOffset);
  sink.compressed(hostOffset, compressedLength(high, low, clusterBits));
}

function hasReservedBits(high: number, low: number): boolean {
  return (high & L2Mask.reservedHigh) !== 0 || (low & L2Mask.reservedLow) !== 0;
}

function isBlank(view: DataView, at: number): boolean {
  return (
    view.getInt32(at) === 0 &&
    view.getInt32(at + 4) === 0 &&
    view.getInt32(at + 8) === 0 &&
    view.getInt32(at + 12) === 0
  );
}
