/** What becomes of an image when a conversion or repair fails: put back where that is provably safe, else left with its journal. */

import { ImageError } from "../../bytes/image-error.ts";
import { isOf, type Journal } from "../../journal/journal.ts";
import { SYNC } from "../../storage/storage.ts";
import { leavingJournal, PUT_BACK } from "../session/leaving-journal.ts";
import type { Session } from "../session/session.ts";
import { undoRepair } from "./repair-undo.ts";
import { restoreSource } from "./switch-undo.ts";

/** Kinds after which nothing more is written: the user asked to stop, or someone else is at work. */
const STANDS = new Set(["interrupted", "in-use", "changed-underneath"]);

/** A file's, and that of the folder that names it. */
const SYNCS: ReadonlySet<string> = new Set(Object.values(SYNC));

/**
 * Puts the image back, or says which command goes on. The first failed sync ends the run: what the page cache shows
 * then may not be what the disk holds, so nothing is believed and nothing more written.
 * `stepsBegun`: of a repair, how many steps were; all where it is left out. One that was not begun must not be undone,
 * for it begins with what those before it leave. `restore`: what puts back whatever no journal of these kinds knows of. Each
 * way back looks itself who has the image open: they would lose what they write past its old end.
 */
export async function afterFailure(
  session: Session,
  journal: Journal,
  thrown: unknown,
  stepsBegun?: number,
  restore?: () => Promise<void>,
): Promise<unknown> {
  const error = await rootOf(session, thrown);
  const failure = error instanceof ImageError ? error : undefined;
  const isSync = failure?.operation !== undefined && SYNCS.has(failure.operation);
  // On its way, an image that is put back to the step before is neither what it was nor what was asked for.
  const isUnderWay = isOf(journal, "conversion") && (journal.work.intent.journey?.stepsTaken ?? 0) > 0;
  const mustStand =
    !failure || STANDS.has(failure.kind) || isSync || (journal.work.undoGivenUp && !restore) || isUnderWay;
  if (isUnderWay && failure?.kind === "verification-failed") await putStepBack(session, journal);
  if (mustStand) return leavingJournal(session.path, journal, error);
  try {
    await (restore?.() ?? putBack(session, journal, stepsBegun));
  } catch {
    return leavingJournal(session.path, journal, error);
  }
  return failure.leaving(PUT_BACK, { rolledBack: true });
}

/** What a disk stored otherwise than it was told may be a header that says nothing: the step's own source can go on from. */
async function putStepBack(session: Session, journal: Journal): Promise<void> {
  if (!isOf(journal, "conversion") || journal.work.undoGivenUp) return;
  try {
    await restoreSource(session, journal, false);
  } catch {
    // Then the journal is all there is, and says what can be done.
  }
}

/** Where an image does not come out as planned, who wrote to it meanwhile is the better answer. */
async function rootOf(session: Session, error: unknown): Promise<unknown> {
  if (!(error instanceof ImageError) || error.kind !== "verification-failed") return error;
  return session.refuseChange().then(
    () => error,
    (change: unknown) => change,
  );
}

/**
 * Nobody else wrote since this session opened the image, so that all that differs from the journal is ours, also what a
 * disk stored otherwise than it was told: nothing has to be found out from what is read.
 */
async function putBack(session: Session, journal: Journal, stepsBegun?: number): Promise<void> {
  if (isOf(journal, "conversion")) await restoreSource(session, journal);
  if (!isOf(journal, "repair")) return;
  const step = stepsBegun ?? journal.work.steps.length;
  await undoRepair(session, journal, { step, isDone: false, seen: [] });
}
