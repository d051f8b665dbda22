/**
 * Where a target's units come to lie one behind another, each behind its own lead-in, and who lies there already.
 *
 *   | header, tables to come | lead-in | unit | lead-in | unit | ...       pitch: from one unit to the next
 *                            ^ first                          ^ end
 */

import { alignUp } from "../../bytes/align.ts";
import { ExtentState, type ExtentTable, isStored } from "../../image/extent.ts";
import type { Placement } from "../../image/target.ts";

/** Offsets and sizes in bytes. */
export interface Slots {
  readonly first: number;
  readonly leadIn: number;
  readonly unitSize: number;
  readonly pitch: number;
  /** Whether units may lie in these slots alone, from the first one on without a hole. */
  readonly isDense: boolean;
}

/** `pieceSize`: what the units are made of; a unit is one of them at least. */
export function slotsFor(placement: Placement, pieceSize: number): Slots {
  const { hostAlignment, reserved, leadIn = 0, dense } = placement;
  const unitSize = Math.max(placement.unitSize, pieceSize);
  return {
    first: alignUp(Math.max(reserved.end, dense?.from ?? 0, hostAlignment), leadIn > 0 ? hostAlignment : unitSize),
    leadIn,
    unitSize,
    pitch: leadIn + unitSize,
    isDense: dense !== undefined || leadIn > 0,
  };
}

export function slotStart({ first, pitch }: Slots, slot: number): number {
  return first + slot * pitch;
}

/** How many units have something stored. */
export function storedUnitCount(mapping: ExtentTable, unitSize: number): number {
  let units = 0;
  for (const { from, end } of unitRuns(mapping, unitSize)) units += end - from;
  return units;
}

/** Their numbers, ascending. */
export function* storedUnits(mapping: ExtentTable, unitSize: number): Generator<number> {
  for (const { from, end } of unitRuns(mapping, unitSize)) for (let unit = from; unit < end; unit++) yield unit;
}

function* unitRuns({ count, guestOffset, length, state }: ExtentTable, unitSize: number) {
  let next = 0;
  for (let row = 0; row < count; row++) {
    if (!isStored(state[row])) continue;
    const start = guestOffset[row] as number;
    const from = Math.max(next, Math.floor(start / unitSize));
    const end = Math.ceil((start + (length[row] as number)) / unitSize);
    if (end > from) yield { from, end };
    next = Math.max(next, end);
  }
}

/** What the units are made of, ascending by guest offset; each is `pieceSize` long, also where the disk ends before. */
export interface SlotPieces {
  readonly guestOffset: Float64Array;
  readonly hostOffset: Float64Array;
}

/** Of a mapping whose data lies in clusters of this size. */
export function piecesOf(
  { count, guestOffset, hostOffset, length, state }: ExtentTable,
  pieceSize: number,
): SlotPieces {
  let pieceCount = 0;
  const each = (visit: (guest: number, host: number) => void): void => {
    for (let row = 0; row < count; row++) {
      if (state[row] !== ExtentState.data) continue;
      for (let at = 0; at < (length[row] as number); at += pieceSize)
        visit((guestOffset[row] as number) + at, (hostOffset[row] as number) + at);
    }
  };
  each(() => pieceCount++);
  const pieces = { guestOffset: new Float64Array(pieceCount), hostOffset: new Float64Array(pieceCount) };
  let filled = 0;
  each((guest, host) => {
    pieces.guestOffset[filled] = guest;
    pieces.hostOffset[filled++] = host;
  });
  return pieces;
}
