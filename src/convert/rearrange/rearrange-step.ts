/** One rearrangement of a conversion: planned from the image as it stands, proven, journaled, performed. */

import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import type { Image } from "../../image/source.ts";
import { Journal, type RearrangementJournal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Journey, RearrangeIntent } from "../../journal/records.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { keptSettings, type Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { HEADER_BLOCK } from "./epochs.ts";

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

/** Of a rearrangement that finds nothing to do. */
export const IDLE: Rearranged = { bytesMoved: 0, bytesWritten: 0, journal: undefined, isAll: true };

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

/** `restore` as in `afterFailure`. Where a journal stands the error says so, once; nobody has use of its open file any more. */
export async function failed(
  session: Session,
  journal: RearrangementJournal | undefined,
  error: unknown,
  restore?: () => Promise<void>,
): Promise<unknown> {
  const isTold = error instanceof ImageError && error.journal !== undefined;
  const told =
    journal === undefined || isTold ? error : await afterFailure(session, journal, error, undefined, restore);
  await journal?.close().catch(() => {});
  return told;
}
