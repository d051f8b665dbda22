/** Places in a stretch of a file as places in the file. */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, type ExtentTable } from "../../image/extent.ts";

interface Stretch {
  readonly start: number;
  readonly size: number;
}

/** The same table; undefined where the guest's bytes go on behind the stretch, where others' are. A stream's last sector may. */
export function shiftedMapping(table: ExtentTable, { start, size }: Stretch): ExtentTable | undefined {
  const { count, hostOffset, length, state, storedLength } = table;
  const shifted = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const from = hostOffset[row] as number;
    shifted[row] = from < 0 ? from : start + from;
    if (from < 0) continue;
    const isCompressed = state[row] === ExtentState.compressed;
    const end = from + ((isCompressed ? storedLength[row] : length[row]) as number);
    if (end > (isCompressed ? alignUp(size, SECTOR_SIZE) : size)) return undefined;
  }
  return { ...table, hostOffset: shifted };
}

export function shiftedRanges(ranges: RangeSet, { start, size }: Stretch): RangeSet {
  const shifted = new RangeSet();
  for (const range of ranges.clippedTo(0, size).each()) shifted.add(start + range.start, start + range.end);
  return shifted;
}
