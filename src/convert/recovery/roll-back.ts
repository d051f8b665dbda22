/** The way back from an interrupted conversion: its old metadata, or, once the undo was given up, by converting again. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError, UsageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { changeOfRecord } from "../../journal/changed-disk.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import { runConversion } from "../conversion/conversion.ts";
import type { Settings } from "../options/settings.ts";
import type { RecoveryReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import { refuseNoWayBack } from "../session/way-back.ts";
import { cutToDisk } from "../switch/finish.ts";
import { refuseForeignToChange } from "../undo/changed-disk.ts";
import { settleHeader } from "../undo/commit-block.ts";
import { proveCompanions } from "../undo/companions.ts";
import { foreignWrite, restoreSource, rewriteMetadata } from "../undo/switch-undo.ts";
import { recoveryReport } from "./direction.ts";
import { leadBack } from "./lead-back.ts";

/** Puts the source back, or makes its format again where the undo was given up. Refuses over somebody's writes. */
export async function rollBackConversion(
  session: Session,
  journal: ConversionJournal,
  settings: Settings,
): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { intent } = journal.work;
  const { journey } = intent;
  const isUnderWay = journey !== undefined && journey.stepsTaken > 0;
  // Behind the disk may be what makes it another format.
  if (journey?.changed) await refuseForeignToChange(storage, changeOfRecord(journey.changed), SECTOR_SIZE);
  if (journal.work.undoGivenUp || isUnderWay)
    refuseNoWayBack(path, journey ?? { originFormat: intent.sourceFormat, originOptions: intent.sourceOptions });
  if (journal.work.undoGivenUp) {
    if (intent.purpose === "setmap") {
      throw new ImageError("unsupported", say`Cannot put ${imageNamed(path)} back`, {
        because: "its old mapping was given up when the new was",
        path,
        operation: "roll back",
      });
    }
    await settleHeader(storage, journal, "target");
    await cutToDisk(session, journal);
    await rewriteMetadata(storage, await reopenImage(storage, intent.targetFormat));
    if (journey) return leadBack(session, journal, journey, intent.targetFormat, settings);
    const convertBack = (options: Readonly<Record<string, string>>) =>
      runConversion(
        session,
        intent.sourceFormat,
        {
          ...settings,
          sourceFormat: intent.targetFormat,
          options,
          drop: [],
          keepUndo: false,
          keepLeaks: false,
          // Of the way there it was asked, not of this one.
          compact: undefined,
          maxExtraSpace: Number.POSITIVE_INFINITY,
        },
        { purpose: "roll-back", replacing: journal },
      );
    try {
      await convertBack(intent.sourceOptions);
    } catch (error) {
      // Some layouts are read but never written, such as QED's tables of one cluster: then the format's own choice.
      if (!(error instanceof UsageError)) throw error;
      await convertBack({});
    }
    return recoveryReport(path, intent.sourceFormat, "roll-back", "converted back, since the undo had been given up");
  }
  await settleHeader(storage, journal, "source");
  const foreign = await foreignWrite(storage, journal.work);
  if (foreign) {
    throw new ImageError("changed-underneath", say`Cannot put ${imageNamed(path)} back`, {
      because: `${foreign} since`,
      state: "nothing was touched",
      path,
      operation: "roll back",
    });
  }
  const isProven = await proveCompanions(session, journal.work, settings);
  const isExact = await restoreSource(session, journal, !isUnderWay);
  if (isUnderWay) return leadBack(session, journal, journey, intent.sourceFormat, settings);
  const how = !isExact
    ? "put back, with what was written past its old end since"
    : isProven
      ? "put back byte for byte"
      : "put back, its metadata byte for byte as it was";
  return recoveryReport(path, intent.sourceFormat, "roll-back", how);
}
