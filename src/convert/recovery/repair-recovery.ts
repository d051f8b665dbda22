/** `resume` and `rollback` of a repair: on from the step that it came to, anew, or back to the old metadata. */

import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { RepairPlace } from "../../check/repair-place.ts";
import { openImage } from "../../formats/registry.ts";
import type { CheckResult } from "../../image/finding.ts";
import { checkOf } from "../../image/source.ts";
import type { RepairJournal } from "../../journal/journal.ts";
import type { RepairWork } from "../../journal/repair-work.ts";
import type { RecoveryOptions } from "../options/options.ts";
import { finishRepair, performSteps, runRepair } from "../repair/repair.ts";
import { mappingOf, proveBetter, proveGuest } from "../repair/repair-proof.ts";
import type { RecoveryReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import { afterFailure } from "../undo/after-failure.ts";
import {
  asItWasBefore,
  cutAdded,
  proveGuestOfRepair,
  repairPlaceOf,
  settlePlace,
  undoRepair,
} from "../undo/repair-undo.ts";
import type { Direction } from "./direction.ts";

export async function recoverRepair(
  session: Session,
  journal: RepairJournal,
  direction: Direction,
  options: RecoveryOptions,
): Promise<RecoveryReport> {
  return direction === "resume" ? resumeRepair(session, journal, options) : rollBackRepair(session, journal);
}

async function rollBackRepair(session: Session, journal: RepairJournal): Promise<RecoveryReport> {
  const state = journal.work;
  const { path, storage } = session;
  const details = { path, format: state.intent.format, operation: "roll back" };
  if (state.undoGivenUp) {
    throw new ImageError("unsupported", say`Cannot put ${imageNamed(path)} back`, {
      ...details,
      because: "its repair was finished and the undo given up",
    });
  }
  const place = await repairPlaceOf(storage, state);
  if ("foreign" in place) {
    throw new ImageError("changed-underneath", say`Cannot put ${imageNamed(path)} back`, {
      ...details,
      because: `${place.foreign} since`,
      state: "nothing was touched",
    });
  }
  await proveGuestOfRepair(session, state, place);
  const isExact = await undoRepair(session, journal, place);
  const how = isExact
    ? "put back, its metadata byte for byte as it was"
    : "put back, with what was written past its old end since";
  return report(session, state, "rolled-back", how);
}

async function resumeRepair(
  session: Session,
  journal: RepairJournal,
  options: RecoveryOptions,
): Promise<RecoveryReport> {
  const { storage } = session;
  const state = journal.work;
  const giveUndoUp = async (why = "") => {
    await session.refuseChange();
    await journal.remove();
    return report(session, state, "resumed", `its repair was finished, and the undo is given up${why}`);
  };
  if (state.undoGivenUp) return giveUndoUp();
  const place = await repairPlaceOf(storage, state);
  if ("foreign" in place) {
    const why = ` (${place.foreign})`;
    return journal.isUndo ? giveUndoUp(why) : planAnew(session, journal, options, why);
  }
  // A way back that was cut off may have begun to undo what was finished.
  if (journal.isUndo && place.isDone && place.hasAdded) return giveUndoUp();
  if (!place.hasAdded) {
    // No step is done, so nobody points past the old end.
    await session.refuseInterference();
    await cutAdded(storage, state);
    await storage.sync();
    return planAnew(session, journal, options, "");
  }
  return finishFrom(session, journal, place, options);
}

/** All that is needed is there: finishes the steps, and proves the result as the first run would have, or puts it back. */
async function finishFrom(
  session: Session,
  journal: RepairJournal,
  place: RepairPlace,
  options: RecoveryOptions,
): Promise<RecoveryReport> {
  const { storage } = session;
  const state = journal.work;
  const { intent, steps } = state;
  const asItWas = await openImage(asItWasBefore(storage, state), intent.format);
  const before = { image: asItWas, check: await checkOf(asItWas), mapping: await mappingOf(asItWas) };
  await session.refuseOtherUsers();
  await settlePlace(storage, place);
  const reporting = { signal: options.signal, onProgress: options.onProgress ?? (() => {}) };
  await performSteps(session, steps.slice(Math.max(0, place.step - 1)), reporting, true);
  try {
    const image = await openImage(storage, intent.format);
    await proveGuest(before, image, intent.allowDataLoss);
    const check = await proveBetter(before, image);
    await finishRepair(session, journal, intent.keepUndo && !journal.isUndo);
    return report(session, state, "resumed", `its repair was finished, ${summary(check)}`);
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind !== "verification-failed") throw error;
    await proveGuestOfRepair(session, state, place);
    throw await afterFailure(session, journal, error);
  }
}

/** Nothing of the plan was begun, or somebody used the image since: it is mended as found, with a journal of its own. */
async function planAnew(
  session: Session,
  journal: RepairJournal,
  options: RecoveryOptions,
  why: string,
): Promise<RecoveryReport> {
  const state = journal.work;
  const { format, scope, allowDataLoss, keepUndo } = state.intent;
  const settings = {
    scope,
    allowDataLoss,
    keepUndo,
    journal: undefined,
    onJournal: () => {},
    onFinding: () => {},
    onProgress: options.onProgress ?? (() => {}),
    signal: options.signal,
    crossCheck: "off" as const,
  };
  const { check, changed } = await runRepair(session, format, settings, journal);
  const what = changed ? "its repair was planned anew and finished" : "nothing is left to repair";
  return report(session, state, "resumed", `${what}${why}, ${summary(check)}`);
}

function summary({ corruptions, checkErrors, leaks }: CheckResult): string {
  if (corruptions + checkErrors + leaks === 0) return "no errors are left";
  return `${counted(corruptions + checkErrors, "error")} and ${counted(leaks, "leaked cluster")} are left`;
}

function report(
  { path }: Session,
  { intent }: RepairWork,
  outcome: RecoveryReport["outcome"],
  how: string,
): RecoveryReport {
  return { image: path, format: intent.format, outcome, message: `${path} is ${intent.format}: ${how}`, notes: [] };
}
