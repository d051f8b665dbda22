/** What mends a sparse extent: the mark that it is in use goes, where nothing else is wrong that a cut-off writer could have left. */

import type { CheckResult } from "../../../image/finding.ts";
import type { Repair, RepairWishes } from "../../../image/repair.ts";
import { SparseHeaderFields } from "./fields.ts";
import type { SparseHeader } from "./header.ts";

const { uncleanShutdown: mark } = SparseHeaderFields.fields;

export function planSparseRepair(
  { values, fileSize }: SparseHeader,
  { corruptions, checkErrors, warnings }: CheckResult,
  { scope }: RepairWishes,
): Repair {
  // The mark is a warning itself.
  const isAlone = values.uncleanShutdown !== 0 && corruptions + checkErrors === 0 && warnings === 1;
  const clears = { purpose: "clear the mark", writes: [{ hostOffset: mark.at, bytes: new Uint8Array(mark.size) }] };
  return {
    additiveWrites: () => [],
    steps: isAlone && scope === "all" ? [clears] : [],
    fileSize,
    mended: [],
    leaksFixed: 0,
    corruptionsFixed: 0,
    losses: [],
    givenUp: [],
  };
}
