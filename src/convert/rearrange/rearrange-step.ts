/** One rearrangement of a conversion: planned from the image as it stands, proven, journaled, performed. */

import { MiB } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { GuestReader } from "../../image/guest/reader.ts";
import { openGuestView } from "../../image/guest/view.ts";
import type { Rearranger } from "../../image/rearranger.ts";
import { checkOf, type Image } from "../../image/source.ts";
import { Journal, type RearrangementJournal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Journey, RearrangeIntent } from "../../journal/records.ts";
import { type Schedule, scheduleCompact, scheduleFixed } from "../../plan/schedule.ts";
import { proveSchedule } from "../../plan/schedule-proof.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { areZeros } from "../../storage/zeros.ts";
import { keptSettings, type Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { settle } from "../switch/settle.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { encode, openEncoder } from "./encode.ts";
import { epochBytesFor, epochBytesInto } from "./epoch-size.ts";
import { Epochs, HEADER_BLOCK } from "./epochs.ts";
import { placesToCome, wantedPlaces } from "./linear.ts";
import { Rearranging } from "./rearrange.ts";

export interface RearrangeStep {
  readonly session: Session;
  readonly settings: Settings;
  readonly image: Image;
  readonly goal: RearrangeIntent["goal"];
  readonly purpose: RearrangeIntent["purpose"];
  readonly guestDigest: string | null;
  readonly journey: Journey;
  readonly replacing: Journal | undefined;
  /** Of the goal `zeros`: guest ranges that were found to be zeros, in whole units. */
  readonly zeros?: RangeSet | undefined;
  /** Counts have been looked at. */
  readonly isMended?: boolean;
}

export interface Rearranged {
  readonly bytesMoved: number;
  readonly bytesWritten: number;
  /** What the file took more for a while; 0 where absent. */
  readonly peakExtraBytes?: number;
  /** Stands, for the next step to take its place; undefined where nothing was to be done and none was made. */
  readonly journal: RearrangementJournal | undefined;
  /** False where what had no spare left has to go on from the image as it stands now. */
  readonly isAll: boolean;
}

/** Throws with `journal` set in the error: the image is whole, and `resume` or `rollback` goes on. */
export async function rearrange(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, goal } = step;
  if (goal === "encode") return encodeUnits(step);
  if (goal === "zeros") return emptyUnits(step);
  if (goal === "compact" && image.openRearranger === undefined && image.planSettling !== undefined)
    return settleAlone(step, image);
  const rearranger = await image.openRearranger?.();
  if (rearranger === undefined) {
    throw new ImageError("unsupported", say`Cannot rearrange ${imageNamed(session.path)}`, {
      because: `units of ${image.format} can't be moved`,
      path: session.path,
      format: image.format,
      operation: "plan",
    });
  }
  if (goal === "compact" && !step.isMended) {
    const { mended, journal } = await mendCounts(step, rearranger);
    try {
      const rest = await rearrange({ ...step, image: mended, isMended: true, replacing: journal ?? step.replacing });
      return { ...rest, journal: rest.journal ?? journal };
    } catch (error) {
      throw await failed(session, journal, error);
    }
  }
  const epochBytes =
    goal === "compact"
      ? await epochBytesInto(session.storage, rearranger, settings.maxExtraSpace)
      : epochBytesFor(settings.maxExtraSpace);
  const linear = goal === "linear" ? await planLinear(image, rearranger, epochBytes) : undefined;
  const isAll = linear?.isAll ?? true;
  let schedule = linear?.schedule ?? planCompact(rearranger, epochBytes);
  const isMoving = schedule.moveCount > 0 || (linear === undefined && schedule.end !== image.fileSize);
  // What it tidies is as good as done in a rearranger, so that it is another one that is asked.
  const isIdle = !isMoving && (linear !== undefined || !(await isUntidy(image)));
  if (isIdle) return { bytesMoved: 0, bytesWritten: 0, journal: undefined, isAll };
  const journal = await openJournal(step);
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    await work.prepare(goal === "compact" ? rearranger.used.markedCount * rearranger.unitSize : 0);
    if (goal === "compact") schedule = planCompact(rearranger, epochBytes);
    const kept = goal === "linear" ? await placesToCome(image) : undefined;
    await work.perform(schedule, kept ? { empties: { kept } } : { cuts: true });
    // What is needless once units have moved makes room for more.
    while (goal !== "linear" && (await work.tidy())) {
      schedule = planCompact(rearranger, epochBytes);
      await work.perform(schedule, { cuts: true });
    }
    return { bytesMoved: work.bytesMoved, bytesWritten: work.bytesWritten, journal, isAll };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  }
}

async function encodeUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image } = step;
  const encoder = await openEncoder(image, settings);
  return { ...(await encode(session, encoder, () => openJournal(step), settings)), isAll: true };
}

/** Pointers first, each looked at once more; then the counts of what nobody points at any more. */
async function emptyUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, zeros = new RangeSet() } = step;
  const reader = new GuestReader(await openGuestView([image]));
  let journal: RearrangementJournal | undefined;
  let epochs: Epochs | undefined;
  try {
    for await (const { ranges, ...tidied } of image.emptyingSteps?.(zeros) ?? []) {
      journal ??= await openJournal(step);
      epochs ??= new Epochs(session, journal, settings);
      for (const { start, end } of ranges.each()) await refuseData(session, reader, start, end);
      await epochs.tidy(tidied);
    }
    const emptied = await reopenImage(session.storage, image.format);
    const rearranger = (await emptied.openRearranger?.()) as Rearranger;
    ({ journal } = await mendCounts({ ...step, image: emptied }, rearranger, journal));
    return { bytesMoved: 0, bytesWritten: epochs?.bytesWritten ?? 0, journal, isAll: true };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}

/** Where a journal stands the error says so, once. */
async function failed(session: Session, journal: RearrangementJournal | undefined, error: unknown): Promise<unknown> {
  const isTold = error instanceof ImageError && error.journal !== undefined;
  return journal === undefined || isTold ? error : await afterFailure(session, journal, error);
}

/** Nothing but zeros is given up, whoever wrote since they were found. */
async function refuseData({ path }: Session, reader: GuestReader, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += MiB) {
    const bytes = Buffer.allocUnsafe(Math.min(MiB, end - at));
    await reader.read(at, bytes);
    if (areZeros(bytes)) continue;
    throw new ImageError("changed-underneath", say`Cannot rearrange ${imageNamed(path)}`, {
      because: `guest offset ${hex(at)} held zeros and holds data now`,
      path,
      guestOffset: at,
      operation: "compare",
    });
  }
}

/**
 * What two point at can be cut off with one pointer moved and one not: then each place has one, and the count of two, which
 * moving does not lower. A check gives such back, with the flags that go with a count of one.
 */
async function mendCounts(
  step: RearrangeStep,
  rearranger: Rearranger,
  begun?: RearrangementJournal,
): Promise<{ readonly mended: Image; readonly journal: RearrangementJournal | undefined }> {
  const { session, settings, image } = step;
  const { leaks } = await checkOf(image);
  const repair = leaks > 0 ? await image.planRepair?.({ scope: "leaks", allowDataLoss: false }) : undefined;
  if (repair === undefined || repair.steps.length === 0) return { mended: image, journal: begun };
  const journal = begun ?? (await openJournal(step));
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    for (const { purpose, writes } of repair.steps) await work.mend({ purpose, repoints: true, writes });
    return { mended: await reopenImage(session.storage, image.format), journal };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  }
}

/** A format that counts nothing compacts as it settles: the same epochs, under a journal of their own. */
async function settleAlone(step: RearrangeStep, image: Image): Promise<Rearranged> {
  const { session, settings } = step;
  const planned = await image.planSettling?.();
  if (planned === undefined || planned.epochs.length === 0)
    return { bytesMoved: 0, bytesWritten: 0, journal: undefined, isAll: true };
  const journal = await openJournal(step);
  try {
    const { bytesWritten } = await settle(session, image, { journal, commitHostOffset: 0 }, settings);
    return { bytesMoved: planned.bytesMoved, bytesWritten, journal, isAll: true };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  }
}

async function isUntidy(image: Image): Promise<boolean> {
  return ((await (await image.openRearranger?.())?.tidy()) ?? []).length > 0;
}

async function planLinear(
  image: Image,
  rearranger: Rearranger,
  epochBytes: number,
): Promise<{ readonly schedule: Schedule; readonly isAll: boolean }> {
  const { moves: wanted, spareStart, spareBytes, isAll } = await wantedPlaces(image, rearranger);
  const { unitSize, used } = rearranger;
  const input = { unitSize, wanted, used, spareStart, spareBytes, epochBytes };
  const schedule = scheduleFixed(input);
  proveSchedule(input, schedule);
  return { schedule, isAll };
}

function planCompact(rearranger: Rearranger, epochBytes: number): Schedule {
  const { unitSize, used, barred } = rearranger;
  const input = { unitSize, pieces: rearranger.pieces(), used, epochBytes, barred };
  const schedule = scheduleCompact(input);
  proveSchedule(input, schedule);
  return schedule;
}

/** `headerLength`: of the file's first bytes, as many as may have to be brought back. */
export async function openJournal(step: RearrangeStep, headerLength = HEADER_BLOCK): Promise<RearrangementJournal> {
  const { session, settings, image, goal, purpose, guestDigest, journey, replacing } = step;
  await settings.onJournal(settings.journal ?? journalNamesOf(session.path).journal);
  const intent: RearrangeIntent = {
    record: "rearrange",
    version: 1,
    purpose,
    format: image.format,
    goal,
    journey,
    ...keptSettings(settings),
    guestDigest,
    ...(session.sidecarName !== undefined && { sidecar: session.sidecarName }),
    oldFileSize: image.fileSize,
  };
  const header = await readZeroFilled(session.storage, 0, headerLength);
  return Journal.createForRearranging(session.volume, session.path, intent, header, {
    elsewhere: settings.journal,
    replacing,
  });
}
