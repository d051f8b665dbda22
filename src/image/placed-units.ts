/** Tables of one entry for each of a target's units: what is proven of an extent before it is pointed at, and where each unit lies. */

import { alignUp, isAligned } from "../bytes/align.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import { ExtentState, type ExtentTable, eachExtent, findRow } from "./extent.ts";
import type { Draft } from "./target.ts";

/** Throws ImageError `out-of-bounds` for what the draft's placement has no entry for. `limit`: where the new tables begin. */
export function proveUnits({ format, virtualSize, placement }: Draft, extents: ExtentTable, limit: number): void {
  const { unitSize, hostAlignment, reserved, hasZeroState } = placement;
  const refuse = (why: string, guestOffset: number, hostOffset?: number) =>
    new ImageError("out-of-bounds", `Cannot map guest offset ${hex(guestOffset)}${why}`, {
      format,
      structure: "mapping",
      hostOffset,
      guestOffset,
    });
  let end = 0;
  for (const { guestOffset, hostOffset, length, state } of eachExtent(extents)) {
    if (guestOffset !== end || guestOffset % unitSize !== 0)
      throw refuse(`: the extent before it ends at ${hex(end)}`, guestOffset);
    end += length;
    if (state === ExtentState.compressed) throw refuse(": this format stores what is plain", guestOffset);
    if (state === ExtentState.zero && !hasZeroState) throw refuse(": zeros can't be stored as such", guestOffset);
    if (state !== ExtentState.data) continue;
    const hostEnd = hostOffset + alignUp(length, unitSize);
    if (!isAligned(hostOffset, hostAlignment) || reserved.intersects(hostOffset, hostEnd) || hostEnd > limit)
      throw refuse(` to host offset ${hex(hostOffset)}: no unit can lie there`, guestOffset, hostOffset);
  }
  if (end !== virtualSize) throw refuse(`: the extents end there, the disk at ${hex(virtualSize)}`, end);
}

/** Hears of each unit from `first` to `end` that is stored, where it lies; answers how many there are. */
export function eachPlacedUnit(
  extents: ExtentTable,
  unitSize: number,
  [first, end]: readonly [number, number],
  visit: (unit: number, hostOffset: number) => void = () => {},
): number {
  let count = 0;
  for (let row = Math.max(0, findRow(extents, first * unitSize)); row < extents.count; row++) {
    const rowUnit = (extents.guestOffset[row] as number) / unitSize;
    if (rowUnit >= end) break;
    if (extents.state[row] !== ExtentState.data) continue;
    const hostOffset = extents.hostOffset[row] as number;
    const rowEnd = Math.min(end, rowUnit + Math.ceil((extents.length[row] as number) / unitSize));
    for (let unit = Math.max(rowUnit, first); unit < rowEnd; unit++, count++)
      visit(unit, hostOffset + (unit - rowUnit) * unitSize);
  }
  return count;
}
