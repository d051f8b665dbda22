/**
 * Each unit to the one place that a disk in one piece has for it; the guest's first, whose place the header has, behind
 * the disk, where the switch that follows finds it.
 *
 *   before  | header | c | - | a | b | - |  room       | tables |
 *   after   | header | b | c | - | - | - |  a | spares | tables |
 */

import { alignUp } from "../../bytes/align.ts";
import type { Bitmap } from "../../bytes/bitmap.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../../image/extent.ts";
import type { Moves, Rearranger } from "../../image/rearranger.ts";
import type { Image } from "../../image/source.ts";
import { movesOfChains } from "../../plan/schedule.ts";

/** What the schedule is made from. */
export interface Wanted {
  readonly moves: Moves;
  /** From here on, `spareBytes` long, nothing lies. */
  readonly spareStart: number;
  /** 0 where all are taken by units on their way, of a rearrangement that was interrupted: they go first. */
  readonly spareBytes: number;
  /** False where others have to go, once these have. */
  readonly isAll: boolean;
}

/** Throws ImageError `no-space` where nothing is free behind the disk, and nothing there is on its way. */
export async function wantedPlaces(image: Image, { unitSize, used }: Rearranger): Promise<Wanted> {
  const { clusterSize, virtualSize } = image.getConversionOptions();
  const mapping = await image.getMapping();
  const diskEnd = alignUp(virtualSize, clusterSize) / unitSize;
  const placeCount = Math.ceil(image.fileSize / unitSize);
  const first = firstUnit(mapping);
  const isFirstAway = first === undefined || first >= diskEnd * unitSize;
  const room = used.nextFree(diskEnd, placeCount);
  const [spareStart, spareEnd] = longestFree(used, isFirstAway ? room : room + 1, placeCount);
  const hasSpares = spareEnd > spareStart;
  const moves = new MoveList();
  for (let row = 0; row < mapping.count; row++) {
    if (mapping.state[row] !== ExtentState.data) continue;
    let guestOffset = mapping.guestOffset[row] as number;
    let hostOffset = mapping.hostOffset[row] as number;
    let length = alignUp(mapping.length[row] as number, unitSize);
    if (guestOffset === 0) {
      if (!isFirstAway) moves.add(hostOffset, room * unitSize, unitSize);
      guestOffset += unitSize;
      hostOffset += unitSize;
      length -= unitSize;
    }
    if (length > 0 && hostOffset !== guestOffset) moves.add(hostOffset, guestOffset, length);
  }
  const all = moves.finish();
  if (hasSpares) {
    const spareBytes = (spareEnd - spareStart) * unitSize;
    return { moves: all, spareStart: spareStart * unitSize, spareBytes, isAll: true };
  }
  // Behind the file's end there is no place for the first one, nor for those that wait for it.
  const chained = movesOfChains(all, unitSize, used, placeCount);
  const isAll = lengthOf(chained) === lengthOf(all);
  if (chained.count > 0 || isAll) return { moves: chained, spareStart: 0, spareBytes: 0, isAll };
  throw new ImageError("no-space", say`Cannot rearrange ${imageNamed(image.storage.path)}`, {
    because: "nothing is free behind its disk",
    path: image.storage.path,
    format: image.format,
    operation: "plan",
  });
}

/** Behind the disk a table of the source may have left a place among its last units: the spares are not there. */
function longestFree(used: Bitmap, from: number, end: number): readonly [start: number, end: number] {
  let longest: readonly [number, number] = [end, end];
  for (let start = used.nextFree(from, end); start < end; ) {
    const next = used.nextMarked(start, end);
    if (next - start > longest[1] - longest[0]) longest = [start, next];
    start = used.nextFree(next, end);
  }
  return longest;
}

function lengthOf({ length }: Moves): number {
  return length.reduce((sum, each) => sum + each, 0);
}

/**
 * Whether nothing but guest data lies where the disk will, and each place to come can be counted: as a carrier leaves it,
 * unless somebody has used the image since, whose new tables lie wherever there was room.
 */
export async function isCleared(image: Image): Promise<boolean> {
  const { clusterSize, virtualSize } = image.getConversionOptions();
  const metadata = await image.getMetadataRanges();
  if (metadata.intersects(clusterSize, alignUp(virtualSize, clusterSize))) return false;
  const mapping = await image.getMapping();
  const barred = (await image.openRearranger?.())?.barred;
  for (let row = 0; row < mapping.count; row++) {
    if (mapping.state[row] === ExtentState.compressed) return false;
    if (mapping.state[row] !== ExtentState.data || mapping.hostOffset[row] === mapping.guestOffset[row]) continue;
    const guestOffset = mapping.guestOffset[row] as number;
    if (barred?.intersects(guestOffset, guestOffset + (mapping.length[row] as number))) return false;
  }
  return true;
}

/** Where the disk's data will lie in the end, and the spares, of which no more than `epochBytes` are gone to again and again. */
export async function placesToCome(
  image: Image,
  { spareStart, spareBytes }: Pick<Wanted, "spareStart" | "spareBytes">,
  epochBytes: number,
): Promise<RangeSet> {
  const { clusterSize } = image.getConversionOptions();
  const places = new RangeSet();
  for (const { state, guestOffset, length } of eachExtent(await image.getMapping())) {
    if (state === ExtentState.data) places.add(guestOffset, alignUp(guestOffset + length, clusterSize));
  }
  if (spareBytes > 0) places.add(spareStart, spareStart + Math.min(spareBytes, epochBytes));
  return places;
}

/** What the last epoch has left, and nothing will come to. */
export function leftOutside(kept: RangeSet): (at: number, left: Moves | undefined) => RangeSet {
  return (_, left) => {
    const emptied = new RangeSet();
    for (let row = 0; row < (left?.count ?? 0); row++) {
      const start = left?.fromHostOffset[row] as number;
      for (const gap of kept.gapsIn(start, start + (left?.length[row] as number))) emptied.add(gap.start, gap.end);
    }
    return emptied;
  };
}

/** Where the guest's first unit lies; undefined where it is stored nowhere. */
function firstUnit(mapping: ExtentTable): number | undefined {
  return mapping.state[0] === ExtentState.data ? mapping.hostOffset[0] : undefined;
}

/** Collects moves in typed columns. */
class MoveList {
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #length: number[] = [];

  add(fromHostOffset: number, toHostOffset: number, length: number): void {
    this.#from.push(fromHostOffset);
    this.#to.push(toHostOffset);
    this.#length.push(length);
  }

  finish(): Moves {
    return {
      count: this.#from.length,
      fromHostOffset: Float64Array.from(this.#from),
      toHostOffset: Float64Array.from(this.#to),
      length: Float64Array.from(this.#length),
    };
  }
}
