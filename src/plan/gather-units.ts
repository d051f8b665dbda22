/**
 * Units without a hole between them, for a target whose next guest write goes right behind as many as there are (VDI).
 *
 *   source   |h|  A  |     |  C  | old |     |  B  |  D  |
 *   target   |h|  A  |  D  |  C  |zeros|zeros|  B  |             a disk of six units: two are stored nowhere else
 *
 * A hole is given to a unit that is stored nowhere, and made zeros. Of as many places as the disk has units, or fewer where
 * there would be many holes, those are chosen where the most lie already; what lies beyond them goes into the holes. All of that are places that nobody points at.
 */

import { alignUp } from "../bytes/align.ts";
import { Bitmap } from "../bytes/bitmap.ts";
import { hex } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../image/extent.ts";
import { eachPlacedUnit } from "../image/placed-units.ts";
import type { Placement } from "../image/target.ts";
import type { Placed } from "./place-units.ts";

export interface GatherInput {
  /** The source's. */
  readonly mapping: ExtentTable;
  readonly metadata: RangeSet;
  readonly placement: Placement;
  readonly virtualSize: number;
  /** From here on nothing of the source lies. */
  readonly copyStart: number;
}

const NOWHERE = -1;
/** Of a hole that stays one, to one unit that moves: its zeros are read several times, and are the disk's from then on. */
const HOLE_COST = 0.25;

/** Whether every unit may stay, and nothing else lies between them: else a carrier is made of the source first. */
export function isGathered(
  mapping: ExtentTable,
  metadata: RangeSet,
  { unitSize, dense }: Placement,
  clusterSize: number,
): boolean {
  let end = 0;
  for (const { state, hostOffset, length } of eachExtent(mapping)) {
    if (state === ExtentState.compressed) return false;
    if (state === ExtentState.data) end = Math.max(end, hostOffset + length);
  }
  return clusterSize % unitSize === 0 && !metadata.intersects(dense?.from ?? 0, end);
}

/** Among its zeros are places of units that the source stores nowhere. */
export function gatherUnits(placed: Placed, input: GatherInput): Placed {
  const { placement, virtualSize, copyStart } = input;
  const { unitSize, dense } = placement;
  if (dense === undefined) return placed;
  const unitCount = Math.ceil(virtualSize / unitSize);
  const places = new Float64Array(unitCount).fill(NOWHERE);
  const storedCount = eachPlacedUnit(placed.extents, unitSize, [0, unitCount], (unit, hostOffset) => {
    places[unit] = hostOffset / unitSize;
  });
  if (storedCount === 0) return placed;
  const { start, count } = bestWindow(places, storedCount, dense.latest / unitSize);
  const isCopied = (place: number) => place < start || place >= start + count || place * unitSize >= copyStart;
  const taken = livePlaces(input, start, count);
  let stayCount = 0;
  for (const place of places) if (place !== NOWHERE && !isCopied(place)) stayCount++;
  if (stayCount !== taken.markedCount) {
    const hostOffset = hex(start * unitSize);
    const reason = `Something else lies between the units from host offset ${hostOffset} on, where the target must not have a hole`;
    return { ...placed, refusals: [...placed.refusals, reason] };
  }
  let free = 0;
  const nextFree = (): number => {
    free = taken.nextFree(free, count) + 1;
    return start + free - 1;
  };
  const copied: number[] = [];
  for (const [unit, place] of places.entries()) if (place !== NOWHERE && isCopied(place)) copied.push(unit);
  const copies: { guestOffset: number; hostOffset: number; length: number }[] = [];
  for (const unit of copied) {
    const place = nextFree();
    places[unit] = place;
    const last = copies.at(-1);
    const [guestOffset, hostOffset] = [unit * unitSize, place * unitSize];
    if (last && last.guestOffset + last.length === guestOffset && last.hostOffset + last.length === hostOffset)
      last.length += unitSize;
    else copies.push({ guestOffset, hostOffset, length: unitSize });
  }
  const { zeros } = placed;
  let holeCount = count - taken.markedCount - copied.length;
  const extents = new ExtentTableBuilder();
  for (const [unit, place] of places.entries()) {
    const length = Math.min(unitSize, virtualSize - unit * unitSize);
    const isGiven = place === NOWHERE && holeCount > 0;
    const hostOffset = (isGiven ? nextFree() : place) * unitSize;
    if (isGiven) {
      holeCount--;
      zeros.add(hostOffset, hostOffset + unitSize);
    }
    if (hostOffset >= 0) extents.append(length, ExtentState.data, hostOffset);
    else extents.append(length, ExtentState.unallocated);
  }
  return {
    ...placed,
    extents: extents.finish(virtualSize),
    copies,
    copyEnd: Math.max(copyStart, (start + count) * unitSize),
    bytesMoved: copied.length * unitSize,
    zeros,
  };
}

/** A run of places, no longer than the disk has units: that which costs least to fill. */
function bestWindow(places: Float64Array, storedCount: number, latest: number) {
  const sorted = places.filter((place) => place !== NOWHERE).sort();
  let best = { start: 0, count: 0, cost: Number.POSITIVE_INFINITY };
  for (let width = storedCount; ; width = Math.min(2 * width, places.length)) {
    for (let low = 0, high = 0; low < sorted.length; low++) {
      const start = Math.min(sorted[low] as number, latest);
      while (high < sorted.length && (sorted[high] as number) < start + width) high++;
      const count = Math.max(storedCount, (sorted[high - 1] ?? 0) + 1 - start);
      const cost = storedCount - Math.max(0, high - low) + (count - storedCount) * HOLE_COST;
      if (cost < best.cost) best = { start, count, cost };
    }
    if (width === places.length) return best;
  }
}

/** Of `count` places from `start` on those where the source has something. */
function livePlaces({ mapping, metadata, placement }: GatherInput, start: number, count: number): Bitmap {
  const { unitSize } = placement;
  const live = new Bitmap(count);
  const mark = (hostOffset: number, hostEnd: number): void => {
    const first = Math.max(0, Math.floor(hostOffset / unitSize) - start);
    const end = Math.min(count, alignUp(hostEnd, unitSize) / unitSize - start);
    if (end > first) live.mark(first, end - first);
  };
  for (const { state, hostOffset, length, storedLength } of eachExtent(mapping)) {
    if (state === ExtentState.data) mark(hostOffset, hostOffset + length);
    else if (state === ExtentState.compressed) mark(hostOffset, hostOffset + storedLength);
  }
  for (const range of metadata.within(start * unitSize, (start + count) * unitSize)) mark(range.start, range.end);
  return live;
}
