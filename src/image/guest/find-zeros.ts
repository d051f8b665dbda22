/** Units that are stored and read as zeros, found where no digest is taken: the whole disk is read for them alone. */

import { RangeSet } from "../../bytes/range-set.ts";
import { type PassOptions, passOverBlocks } from "./block-pass.ts";
import { Turns } from "./read-ahead.ts";
import type { GuestView } from "./view.ts";
import { ZeroFinder } from "./zero-units.ts";

/** As `ZeroUnits.found`. Throws ImageError `io`, `corrupt` (a cluster that does not inflate) or `interrupted`. */
export async function findZeroUnits(view: GuestView, unitSize: number, options: PassOptions = {}): Promise<RangeSet> {
  const found = new RangeSet();
  const finder = new ZeroFinder({ unitSize, found });
  const turns = new Turns(options.signal, `look for zeros in ${view.layers[0]?.storage.path}`);
  const task = { zeroGrain: finder.grain, isWithoutDigest: true };
  await passOverBlocks(view, task, turns, options, ({ runs }, { zeros = [] }) => finder.addOfRuns(runs, zeros));
  finder.finish(view);
  return found;
}
