/** One rearrangement of a conversion: planned from the image as it stands, proven, journaled, performed. */

import { MiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { Rearranger } from "../../image/rearranger.ts";
import type { Image } from "../../image/source.ts";
import { Journal, type RearrangementJournal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Journey, RearrangeIntent } from "../../journal/records.ts";
import { type Schedule, scheduleCompact, scheduleFixed } from "../../plan/schedule.ts";
import { proveSchedule } from "../../plan/schedule-proof.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { settle } from "../switch/settle.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { encode, openEncoder } from "./encode.ts";
import { HEADER_BLOCK } from "./epochs.ts";
import { wantedPlaces } from "./linear.ts";
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
}

export interface Rearranged {
  readonly bytesMoved: number;
  readonly bytesWritten: number;
  /** What the file took more for a while; 0 where absent. */
  readonly peakExtraBytes?: number;
  /** Stands, for the next step to take its place; undefined where nothing was to be done and none was made. */
  readonly journal: RearrangementJournal | undefined;
}

/** Bytes copied between two barriers: what copies take of the disk for a while. */
const EPOCH_BYTES = 16 * MiB;

/** Throws with `journal` set in the error: the image is whole, and `resume` or `rollback` goes on. */
export async function rearrange(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image, goal } = step;
  if (goal === "encode") return encodeUnits(step);
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
  const epochBytes = Math.min(EPOCH_BYTES, settings.maxExtraSpace);
  const plan = (): Promise<Schedule> =>
    goal === "linear" ? planLinear(image, rearranger, epochBytes) : planCompact(rearranger, epochBytes);
  let schedule = await plan();
  const isIdle = schedule.moveCount === 0 && schedule.end === image.fileSize && (await rearranger.tidy()).length === 0;
  if (isIdle) return { bytesMoved: 0, bytesWritten: 0, journal: undefined };
  const journal = await openJournal(step);
  try {
    const work = new Rearranging(session, journal, rearranger, settings);
    await work.prepare();
    await work.perform(schedule, goal !== "linear");
    // What is needless once units have moved makes room for more.
    while (goal !== "linear" && (await work.tidy())) {
      schedule = await plan();
      await work.perform(schedule, true);
    }
    return { bytesMoved: work.bytesMoved, bytesWritten: work.bytesWritten, journal };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  }
}

async function encodeUnits(step: RearrangeStep): Promise<Rearranged> {
  const { session, settings, image } = step;
  return encode(session, await openEncoder(image, settings), () => openJournal(step), settings);
}

/** A format that counts nothing compacts as it settles: the same epochs, under a journal of their own. */
async function settleAlone(step: RearrangeStep, image: Image): Promise<Rearranged> {
  const { session, settings } = step;
  const planned = await image.planSettling?.();
  if (planned === undefined || planned.epochs.length === 0)
    return { bytesMoved: 0, bytesWritten: 0, journal: undefined };
  const journal = await openJournal(step);
  try {
    const { bytesWritten } = await settle(session, image, { journal, commitHostOffset: 0 }, settings);
    return { bytesMoved: planned.bytesMoved, bytesWritten, journal };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  }
}

async function planLinear(image: Image, rearranger: Rearranger, epochBytes: number): Promise<Schedule> {
  const { moves: wanted, spareStart, spareBytes } = await wantedPlaces(image, rearranger);
  const { unitSize, used } = rearranger;
  const input = { unitSize, wanted, used, spareStart, spareBytes, epochBytes };
  const schedule = scheduleFixed(input);
  proveSchedule(input, schedule);
  return schedule;
}

async function planCompact(rearranger: Rearranger, epochBytes: number): Promise<Schedule> {
  const { unitSize, used, barred } = rearranger;
  const input = { unitSize, pieces: rearranger.pieces(), used, epochBytes, barred };
  const schedule = scheduleCompact(input);
  proveSchedule(input, schedule);
  return schedule;
}

async function openJournal(step: RearrangeStep): Promise<RearrangementJournal> {
  const { session, settings, image, goal, purpose, guestDigest, journey, replacing } = step;
  await settings.onJournal(settings.journal ?? journalNamesOf(session.path).journal);
  const intent: RearrangeIntent = {
    record: "rearrange",
    version: 1,
    purpose,
    format: image.format,
    goal,
    journey,
    drop: settings.drop,
    keepLeaks: settings.keepLeaks,
    keepUndo: settings.keepUndo,
    verify: settings.verify,
    check: settings.check,
    checksum: settings.checksum,
    backingChain: settings.backingChain,
    guestDigest,
    oldFileSize: image.fileSize,
  };
  const header = await readZeroFilled(session.storage, 0, HEADER_BLOCK);
  return Journal.createForRearranging(session.volume, session.path, intent, header, {
    elsewhere: settings.journal,
    replacing,
  });
}
