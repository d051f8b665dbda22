/** Zeros that are given back where the image stands: of one that holds more than its active disk, which tables made anew would lose. */

import { RangeSet } from "../../bytes/range-set.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { SwitchWish } from "../switch/switch-planning.ts";

export function emptiesInPlace({ image, options }: Source, { drop }: Pick<Settings, "drop">): boolean {
  const { snapshotCount, bitmapNames, backing } = options;
  const holdsMore =
    (snapshotCount > 0 && !drop.includes("snapshots")) || (bitmapNames.length > 0 && !drop.includes("bitmaps"));
  return holdsMore && backing === undefined && image.emptyingSteps !== undefined;
}

/** Runs that are long enough to be given back; the disk's end ends one of any length. */
export function runsOf({ found, leastRun }: NonNullable<SwitchWish["zeros"]>, { image }: Source): RangeSet {
  const runs = new RangeSet();
  for (const { start, end } of found.each())
    if (end - start >= leastRun || end >= image.virtualSize) runs.add(start, end);
  return runs;
}
