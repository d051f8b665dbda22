/** The goal `linear`: each unit to the one place that a disk in one piece has for it. */

import { scheduleFixed } from "../../plan/schedule.ts";
import { proveSchedule } from "../../plan/schedule-proof.ts";
import { epochBytesFor } from "./epoch-size.ts";
import { leftOutside, placesToCome, wantedPlaces } from "./linear.ts";
import { Rearranging, rearrangerOf } from "./rearrange.ts";
import { failed, IDLE, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

export async function bringToPlaces(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image } = step;
  const rearranger = await rearrangerOf(image);
  const { moves: wanted, spareStart, spareBytes, isAll } = await wantedPlaces(image, rearranger);
  const { unitSize, used } = rearranger;
  const epochBytes = epochBytesFor(settings.maxExtraSpace);
  const input = { unitSize, wanted, used, spareStart, spareBytes, epochBytes };
  const schedule = scheduleFixed(input);
  proveSchedule(input, schedule);
  if (schedule.moveCount === 0) return { ...IDLE, isAll };
  const journal = await openJournal(step);
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    await work.prepare(0);
    await work.perform(schedule, {
      emptied: leftOutside(await placesToCome(image, { spareStart, spareBytes }, epochBytes)),
    });
    return { bytesMoved: work.bytesMoved, bytesWritten: work.bytesWritten, journal, isAll };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}
