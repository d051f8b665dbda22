/** The journal beside an image, found and followed in the direction that was asked for. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import {
  type ConversionJournal,
  clearTornJournal,
  isOf,
  Journal,
  type RearrangementJournal,
  type RepairJournal,
  removeCopy,
} from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import { clearTextDraft } from "../execute/name.ts";
import type { RecoveryOptions } from "../options/options.ts";
import { type Settings, settingsOf } from "../options/settings.ts";
import type { RecoveryReport } from "../report/report.ts";
import type { Host } from "../session/host.ts";
import { leavingJournal } from "../session/leaving-journal.ts";
import { namedForRecovery } from "../session/named-image.ts";
import { Session } from "../session/session.ts";
import { type Direction, recoveryReport } from "./direction.ts";
import { RESTORED } from "./lead-back.ts";
import { recoverRearrangement } from "./rearrangement-recovery.ts";
import { refuseRenamedText } from "./renamed-text.ts";
import { recoverRepair } from "./repair-recovery.ts";
import { replacedImage } from "./replaced-image.ts";
import { finishRestoring, isRestored } from "./restore-copy.ts";
import { resumeConversion } from "./resume.ts";
import { rollBackConversion } from "./roll-back.ts";

/** As `resume` and `rollback`, of options that have been looked through. */
export async function recover(
  path: string,
  direction: Direction,
  given: RecoveryOptions,
  host: Host,
): Promise<RecoveryReport> {
  const session = await openSession(path, host);
  try {
    const journal = await findJournal(session, direction);
    const noted = async (report: RecoveryReport): Promise<RecoveryReport> => {
      const imageAfter = await session.imagePath();
      return {
        ...report,
        ...(imageAfter !== report.image && { imageAfter }),
        ...(session.sidecarName !== undefined && { diskFile: session.path }),
        ...sourceFormatOf(journal),
        notes: session.allNotes,
      };
    };
    try {
      await journal.writeAnew();
      await findText(session, journal);
      await refuseRenamedText(session, journal, direction);
      if (isOf(journal, "repair")) return await noted(await recoverRepair(session, journal, direction, given));
      const settings = settingsOfJournal(journal, given);
      if (await isRestored(session, journal)) {
        await finishRestoring(session, journal);
        const format = journal.work.intent.journey?.originFormat ?? "";
        return await noted(recoveryReport(path, format, "roll-back", RESTORED));
      }
      if (isOf(journal, "rearrangement"))
        return await noted(await recoverRearrangement(session, journal, direction, settings));
      // An interrupted way back is finished by either command: the last thing asked for was the old format.
      if (direction === "resume" || journal.work.intent.purpose === "roll-back")
        return await noted(await resumeConversion(session, journal, settings));
      return await noted(await rollBackConversion(session, journal, settings));
    } catch (error) {
      // A nested conversion has said already what stands; a finished one left no journal.
      if (error instanceof ImageError && (error.journal !== undefined || error.rolledBack)) throw error;
      throw (await replacedImage(session, journal, direction, error)) ?? leavingJournal(path, journal, error);
    } finally {
      await journal.close();
    }
  } finally {
    await session.close();
  }
}

/** The text that the journal tells of belongs to the image, whichever of the two names was given; names as found are durable from here on. */
async function findText(session: Session, { work }: Journal): Promise<void> {
  const name = work.intent.record === "repair" ? undefined : work.intent.sidecar;
  if (name === undefined) return;
  await clearTextDraft(session);
  session.takeSidecar(name);
}

/** An image that can't be worked on now, by a lock or another user, still has its journal: the error says so. */
async function openSession(path: string, host: Host): Promise<Session> {
  try {
    return await Session.open(await namedForRecovery(host.volume, path), host, "work on");
  } catch (error) {
    const { journal, undo } = journalNamesOf(path);
    for (const standingJournal of [journal, undo]) {
      if (!(error instanceof ImageError) || !(await host.volume.facts(standingJournal))) continue;
      throw error.leaving("the journal stands, run the same command again then", { journal: standingJournal });
    }
    throw error;
  }
}

/** Clears what proves that nothing is to be done, then says so. */
async function findJournal(
  session: Session,
  direction: Direction,
): Promise<ConversionJournal | RepairJournal | RearrangementJournal> {
  const found = await Journal.find(session.volume, session.path);
  if (typeof found === "object" && !found.work.rolledBack) return found;
  if (found === "torn") await clearTornJournal(session.volume, session.path);
  if (typeof found === "object") await found.remove();
  // Made before a journal could tell of it, or left behind by one that is gone.
  await removeCopy(session.volume, journalNamesOf(session.path).copy);
  throw new ImageError("unsupported", `Nothing to ${direction}`, {
    because: say`no conversion or repair of ${imageNamed(session.path)} is open`,
    isMissing: true,
    path: session.path,
    operation: direction,
  });
}

/** Nothing of a repair, which keeps the format. */
function sourceFormatOf(journal: Journal): Pick<RecoveryReport, "sourceFormat"> {
  if (isOf(journal, "rearrangement")) return { sourceFormat: journal.work.intent.journey.originFormat };
  if (!isOf(journal, "conversion")) return {};
  const { journey, sourceFormat } = journal.work.intent;
  return { sourceFormat: journey?.originFormat ?? sourceFormat };
}

function settingsOfJournal(
  { path, work: { intent } }: ConversionJournal | RearrangementJournal,
  options: RecoveryOptions,
): Settings {
  const { checksum, verify, check, keepUndo, keepLeaks, drop, backingChain, journey } = intent;
  const alone = intent.record === "intent" ? intent : undefined;
  const { maxExtraSpace, ...wishes } = journey?.wishes ?? alone?.wishes ?? { maxExtraSpace: null };
  const settings = settingsOf({
    ...options,
    options: journey?.goalOptions ?? alone?.options ?? {},
    ...wishes,
    ...(maxExtraSpace !== null && { maxExtraSpace }),
    checksum,
    verify,
    check,
    keepUndo,
    keepLeaks,
    drop,
    backingChain,
  });
  return { ...settings, journal: path };
}
