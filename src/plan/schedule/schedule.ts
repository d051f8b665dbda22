/** What a schedule is: which piece is copied where, and between which two barriers. */

import type { Bitmap } from "../../bytes/bitmap.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import type { Moves, Pieces } from "../../image/rearranger.ts";

/**
 * Moves in epochs, with a barrier between each and the next. A place is written only if it was free at the last barrier,
 * so that both old and new pointers of an epoch show the same bytes.
 */
export interface Schedule {
  /** Pieces copied in all; what goes to a spare first is counted each time. */
  readonly moveCount: number;
  readonly bytesMoved: number;
  readonly epochCount: number;
  /**
   * Lazily, the same at each call, ascending by `to`; neighbours are one run where both their places are. Every `to` was
   * free at the barrier before the epoch; a `from` is free at the barrier after it.
   */
  epochs(): Iterable<Moves>;
  /** One past the last place used at any time, spares included. */
  readonly peakEnd: number;
  /** One past the last place used after the last epoch. */
  readonly end: number;
}

/** Each unit has one place where it must go (raw: host = guest). */
export interface FixedInput {
  readonly unitSize: number;
  /** Every unit that lies elsewhere, with its place to come; in runs or one by one. */
  readonly wanted: Moves;
  /** All places that are used now, by what may move or not. */
  readonly used: Bitmap;
  /** Spares lie here, where nothing else does. */
  readonly spareStart: number;
  /** Less than a unit is still one spare, nothing at all is none where no cycle asks for one. */
  readonly spareBytes: number;
  /** Most bytes that are copied between two barriers; one unit at least. */
  readonly epochBytes: number;
}

/** Any free place will do: what reaches past the end to come goes below it. */
export interface CompactInput {
  readonly unitSize: number;
  readonly pieces: Pieces;
  /** All places that are used now, by pieces or by what stays. */
  readonly used: Bitmap;
  /** Most bytes that are copied between two barriers; only a piece that is longer goes alone. */
  readonly epochBytes: number;
  /** Host ranges that nothing may be put to though nothing is there; none where absent. */
  readonly barred?: RangeSet | undefined;
}
