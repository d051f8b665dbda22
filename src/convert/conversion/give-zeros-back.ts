/** The space of zeros that a disk in one piece held: no byte changes by its going. */

import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, eachExtent, isStored } from "../../image/extent.ts";
import type { Image } from "../../image/source.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import type { Session } from "../session/session.ts";

/** `zeros` are guest ranges that read as zeros; `image` is what was made. Nothing that it uses is touched. */
export async function giveZerosBack(
  session: Pick<Session, "storage" | "refuseInterference">,
  { draft, source: { linearBase = 0 } }: SwitchPlan,
  image: Image,
  zeros: RangeSet,
): Promise<void> {
  const { storage } = session;
  if (storage.punch === undefined || draft.placement.linearBase !== undefined) return;
  // The place of the guest's first bytes is the header's now, and settling may have filled any other.
  const used = new RangeSet();
  used.addAll(await image.getMetadataRanges());
  for (const { state, hostOffset, length, storedLength } of eachExtent(await image.getMapping())) {
    if (isStored(state)) used.add(hostOffset, hostOffset + (state === ExtentState.compressed ? storedLength : length));
  }
  const ranges = new RangeSet();
  for (const { state, guestOffset, length } of eachExtent(draft.extents)) {
    if (state !== ExtentState.unallocated) continue;
    for (const { start, end } of zeros.within(guestOffset, guestOffset + length)) {
      for (const free of used.gapsIn(linearBase + start, linearBase + end)) ranges.add(free.start, free.end);
    }
  }
  if (ranges.total === 0) return;
  // Free to us, and to whoever has opened the image since and gives its next units these places.
  await session.refuseInterference();
  await storage.punch(ranges);
}
