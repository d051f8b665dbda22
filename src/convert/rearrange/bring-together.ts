/** The goal `gather`: what lies together in the target is brought together, where its switch will find it. */

import { RangeSet } from "../../bytes/range-set.ts";
import type { Moves } from "../../image/rearranger.ts";
import { proveGathering } from "../../plan/gather-proof.ts";
import { scheduleGather } from "../../plan/schedule.ts";
import { alignmentOf, gatheringHere } from "./gathering.ts";
import { Rearranging, rearrangerOf } from "./rearrange.ts";
import { failed, IDLE, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

export async function bringTogether(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, journey } = step;
  const options = image.getConversionOptions();
  const [mapping, metadata] = [await image.getMapping(), await image.getMetadataRanges()];
  const here = gatheringHere({ options, mapping, metadata, fileSize: image.fileSize }, journey);
  if (here === undefined) return IDLE;
  const schedule = scheduleGather(here.input);
  proveGathering(here.input, here.fixed, schedule);
  if (schedule.moveCount === 0) return IDLE;
  const rearranger = await rearrangerOf(image, alignmentOf(here.input));
  const journal = await openJournal(step);
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    await work.prepare(0);
    // Where the host takes nothing back, what is left is cut off in the end, or stays.
    const peakExtraBytes = here.input.spares.length * here.input.pieceSize;
    const keptAtMost = peakExtraBytes - here.input.epochBytes;
    const emptied = session.storage.punch && leftForGood([...schedule.epochs()], keptAtMost);
    await work.perform(schedule, emptied ? { emptied } : {});
    return { bytesMoved: work.bytesMoved, bytesWritten: work.bytesWritten, peakExtraBytes, journal, isAll: true };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

/**
 * What epochs have left, and the next does not go to: what that writes anyway need not be emptied, nor is little of it. To
 * be asked for one epoch after the other, before it copies, and behind the last: so copies and what is kept take no more of the disk than the spares.
 */
function leftForGood(epochs: readonly Moves[], keptAtMost: number): (at: number) => RangeSet {
  let pending = new RangeSet();
  return (at) => {
    const isLast = at === epochs.length;
    addPlaces(pending, epochs[at - 1], "fromHostOffset");
    const taken = new RangeSet();
    addPlaces(taken, epochs[at], "toHostOffset");
    const left = new RangeSet();
    for (const { start, end } of pending.each())
      for (const gap of taken.gapsIn(start, end)) left.add(gap.start, gap.end);
    const isMuch = isLast || left.total > keptAtMost;
    pending = isMuch ? new RangeSet() : left;
    return isMuch ? left : new RangeSet();
  };
}

function addPlaces(places: RangeSet, moves: Moves | undefined, side: "fromHostOffset" | "toHostOffset"): void {
  for (let row = 0; row < (moves?.count ?? 0); row++) {
    const start = moves?.[side][row] as number;
    places.add(start, start + (moves?.length[row] as number));
  }
}
