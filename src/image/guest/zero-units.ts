/** Units of the guest's disk that are stored, and read as zeros: found by whoever reads all of it anyway. */

import { alignDown, alignUp, isPowerOfTwo, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { areZeros } from "../../storage/zeros.ts";
import { isStored } from "../extent.ts";
import { BLOCK_SIZE, type BlockRun } from "./block-work.ts";
import type { GuestView } from "./view.ts";

/** What to look for, and where it is put once the whole disk was read. */
export interface ZeroUnits {
  /** A power of two from 512 bytes to 2 MiB; units lie at its multiples, the disk's last one may be shorter. */
  readonly unitSize: number;
  /** Guest offsets: every unit that reads as zeros and of which at least one byte is stored. */
  readonly found: RangeSet;
}

/** Zeros of a larger one are told in several of these. */
export const MAX_ZERO_UNIT = 2 * MiB;
/** So many apart, and short ones are no longer taken: they would take more memory than their space is worth. */
const MAX_PIECES = 2 ** 20;
const SHORT = MiB;

/** Zeros in `bytes`, which lie from `start` on, as pairs of start and length: whole grains, and parts of one at either end. */
export function zeroPieces(bytes: Uint8Array, grain: number, start = 0): number[] {
  const pieces: number[] = [];
  const end = start + bytes.length;
  for (let at = start; at < end; ) {
    const next = Math.min(alignDown(at, grain) + grain, end);
    if (areZeros(bytes.subarray(at - start, next - start))) pieces.push(at, next - at);
    at = next;
  }
  return pieces;
}

/** Gathers pieces of zeros in whatever was read, and makes units of them. */
export class ZeroFinder {
  /** What zeros have to be looked for in. */
  readonly grain: number;
  readonly #units: ZeroUnits;
  readonly #zeros = new RangeSet();
  #count = 0;
  #end = -1;

  constructor(units: ZeroUnits) {
    const { unitSize } = units;
    if (!isPowerOfTwo(unitSize) || unitSize < SECTOR_SIZE || unitSize > MAX_ZERO_UNIT) {
      throw new RangeError(`Cannot look for zeros in units of ${unitSize} bytes`);
    }
    this.#units = units;
    this.grain = Math.min(unitSize, BLOCK_SIZE);
  }

  add(guestOffset: number, length: number): void {
    if (guestOffset !== this.#end) this.#count++;
    this.#end = guestOffset + length;
    if (this.#count <= MAX_PIECES || length >= SHORT) this.#zeros.add(guestOffset, this.#end);
  }

  addPieces(pieces: ArrayLike<number>): void {
    for (let at = 0; at < pieces.length; at += 2) this.add(pieces[at] as number, pieces[at + 1] as number);
  }

  /** Pieces counted in the stored bytes of the runs, one after the other. */
  addOfRuns(runs: readonly BlockRun[], pieces: ArrayLike<number>): void {
    let at = 0;
    let start = 0;
    for (const { guestOffset, storedLength } of runs) {
      for (; at < pieces.length && (pieces[at] as number) < start + storedLength; at += 2) {
        // Blocks of two runs may touch here, and be far apart in the guest's disk; no piece is longer than a block.
        this.add((pieces[at] as number) - start + guestOffset, pieces[at + 1] as number);
      }
      start += storedLength;
    }
  }

  /** With what is zeros unread. */
  finish({ table, virtualSize }: GuestView): void {
    const { unitSize, found } = this.#units;
    const rows = function* (wantsStored: boolean) {
      for (let row = 0; row < table.count; row++) {
        if (isStored(table.state[row]) !== wantsStored) continue;
        const start = table.guestOffset[row] as number;
        yield { start, end: start + (table.length[row] as number) };
      }
    };
    for (const { start, end } of rows(false)) this.#zeros.add(start, end);
    const whole = new RangeSet();
    for (const { start, end } of this.#zeros.each()) {
      whole.add(alignUp(start, unitSize), end === virtualSize ? end : alignDown(end, unitSize));
    }
    for (const { start, end } of rows(true)) {
      found.addAll(whole.clippedTo(alignDown(start, unitSize), alignUp(end, unitSize)));
    }
  }
}
