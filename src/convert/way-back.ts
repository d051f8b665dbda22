/** The way back from an interrupted conversion: byte for byte, or, once the undo was given up, by converting again. */

import { ImageError, UsageError } from "../bytes/image-error.ts";
import type { Journal } from "../journal/journal.ts";
import { runConversion } from "./conversion.ts";
import { recoveryReport } from "./recovery-report.ts";
import type { RecoveryReport } from "./report.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { foreignWrite, mendHeader, restoreSource } from "./undo.ts";

/** Puts the source back, or makes its format again where the undo was given up. Refuses over somebody's writes. */
export async function goBack(session: Session, journal: Journal, settings: Settings): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { intent } = journal.state;
  if (journal.state.undoGivenUp) {
    if (intent.purpose === "setmap") {
      throw new ImageError("unsupported", `Cannot put ${path} back: its old mapping was given up when the new was`, {
        path,
        operation: "roll back",
      });
    }
    await mendHeader(storage, journal.state, "target");
    await session.noteState();
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
  await mendHeader(storage, journal.state, "source");
  const foreign = await foreignWrite(storage, journal.state);
  if (foreign) {
    throw new ImageError("changed-underneath", `Cannot put ${path} back: ${foreign} since; nothing was touched`, {
      path,
      operation: "roll back",
    });
  }
  await restoreSource(storage, journal);
  return recoveryReport(path, intent.sourceFormat, "roll-back", "put back byte for byte");
}
