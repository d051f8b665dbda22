/**
 * The ways out of an interrupted rearrangement. The image is whole at every instant, so that nothing has to be undone: what a
 * failed sync may have left in the cache alone is written once more, and another walk goes on from there, or back.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { isWrittenInPart } from "../../bytes/torn-write.ts";
import { reopenImage } from "../../formats/registry.ts";
import { changeOfRecord } from "../../journal/changed-disk.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { rewriteRange } from "../../storage/rewrite.ts";
import { ifReadable, readExactly, type WritableStorage } from "../../storage/storage.ts";
import { runConversion } from "../conversion/conversion.ts";
import type { Settings } from "../options/settings.ts";
import type { RecoveryReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import { refuseNoWayBack } from "../session/way-back.ts";
import { refuseForeignToChange, settleChange } from "../undo/changed-disk.ts";
import { rewriteMetadata, sameBytes } from "../undo/switch-undo.ts";
import { type Direction, recoveryReport } from "./direction.ts";
import { leadBack } from "./lead-back.ts";

export async function recoverRearrangement(
  session: Session,
  journal: RearrangementJournal,
  direction: Direction,
  settings: Settings,
): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { format, goal, journey, purpose, keepUndo } = journal.work.intent;
  const isTurned = direction === "roll back" && purpose !== "roll-back";
  if (isTurned) refuseNoWayBack(path, journey);
  const change = journey.changed && changeOfRecord(journey.changed);
  if (isTurned && change) await refuseForeignToChange(storage, change);
  await settleFirstBlock(storage, journal);
  if (goal === "relocate" && change) await settleChange(storage, change);
  await rewriteMetadata(storage, await reopenImage(storage, format));
  if (isTurned) {
    return leadBack(session, journal, journey, format, settings);
  }
  await runConversion(
    session,
    journey.goalFormat,
    { ...settings, sourceFormat: format, keepUndo: keepUndo && !journal.isUndo },
    // What was begun here may be done: a step that follows is not the only one.
    {
      purpose,
      replacing: journal,
      // What is left of zeros is found anew by a walk that has taken no step.
      journey: { ...journey, stepsTaken: journey.stepsTaken + (goal === "zeros" ? 0 : 1) },
      isCleared: goal === "linear",
      isEmptying: goal === "zeros",
    },
  );
  return recoveryReport(path, journey.goalFormat, purpose, "planned anew and finished");
}

/**
 * Makes the block around the header durable as it is found; from the journal where it can't be read any more, or where its
 * write stopped in the middle. Both headers of an epoch are right, for old and new place hold the same.
 */
async function settleFirstBlock(storage: WritableStorage, { work }: RearrangementJournal): Promise<void> {
  const { savedHeader, lastSector, previousSector } = work;
  // A disk in one piece may be shorter than what was saved.
  const length = Math.min(savedHeader.length, await storage.size());
  const found = await ifReadable(readExactly(storage, 0, length, "header"));
  if (found === undefined) {
    await storage.write(0, savedHeader.subarray(0, length));
    await storage.write(0, lastSector.subarray(0, length));
  } else if (length < SECTOR_SIZE) await rewriteRange(storage, 0, length);
  else {
    const sector = found.subarray(0, SECTOR_SIZE);
    const isWhole = sameBytes(sector, lastSector) || sameBytes(sector, previousSector);
    const isHalf = !isWhole && isWrittenInPart(sector, lastSector, previousSector);
    if (isHalf) await storage.write(0, lastSector);
    else await rewriteRange(storage, 0, found.length);
  }
  await storage.sync();
}
