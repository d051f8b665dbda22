/** The goal `compact`: what lies at the end goes into free places below it, what is needless goes, and the file gets shorter. */

import type { Rearranger } from "../../image/rearranger.ts";
import type { Image } from "../../image/source.ts";
import { type Schedule, scheduleCompact } from "../../plan/schedule.ts";
import { proveSchedule } from "../../plan/schedule-proof.ts";
import { settle } from "../switch/settle.ts";
import { epochBytesInto } from "./epoch-size.ts";
import { mendCounts } from "./mended-counts.ts";
import { Rearranging, rearrangerOf } from "./rearrange.ts";
import { failed, IDLE, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

export async function compact(step: RearrangeStep): Promise<Rearranged> {
  const { session, image } = step;
  if (image.openRearranger === undefined && image.planSettling !== undefined) return settleAlone(step, image);
  const { mended, journal } = await mendCounts(step);
  try {
    const rest = await compactMended({ ...step, image: mended, replacing: journal ?? step.replacing });
    return { ...rest, journal: rest.journal ?? journal };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

async function compactMended(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image } = step;
  const rearranger = await rearrangerOf(image);
  const epochBytes = await epochBytesInto(session.storage, rearranger, settings.maxExtraSpace);
  const planned = planCompact(rearranger, epochBytes);
  // What it tidies is as good as done in a rearranger, so that it is another one that is asked.
  const isIdle = planned.moveCount === 0 && planned.end === image.fileSize && !(await isUntidy(image));
  if (isIdle) return IDLE;
  const journal = await openJournal(step);
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    await work.prepare(rearranger.used.markedCount * rearranger.unitSize);
    // What is needless once units have moved makes room for more.
    do await work.perform(planCompact(rearranger, epochBytes), { cuts: true });
    while (await work.tidy());
    return { bytesMoved: work.bytesMoved, bytesWritten: work.bytesWritten, journal, isAll: true };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

/** A format that counts nothing compacts as it settles: the same epochs, under a journal of their own. */
async function settleAlone(step: RearrangeStep, image: Image): Promise<Rearranged> {
  const { session, settings } = step;
  const planned = await image.planSettling?.();
  if (planned === undefined || planned.epochs.length === 0) return IDLE;
  const journal = await openJournal(step);
  try {
    const { bytesWritten } = await settle(session, image, { journal, commitHostOffset: 0 }, settings);
    return { bytesMoved: planned.bytesMoved, bytesWritten, journal, isAll: true };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

async function isUntidy(image: Image): Promise<boolean> {
  return ((await (await image.openRearranger?.())?.tidy()) ?? []).length > 0;
}

function planCompact(rearranger: Rearranger, epochBytes: number): Schedule {
  const { unitSize, used, barred } = rearranger;
  const input = { unitSize, pieces: rearranger.pieces(), used, epochBytes, barred };
  const schedule = scheduleCompact(input);
  proveSchedule(input, schedule);
  return schedule;
}
