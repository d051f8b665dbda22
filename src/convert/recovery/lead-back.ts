/** The way back from the middle of a conversion of several steps: another walk, to the format that the image had. */

import { UsageError } from "../../bytes/image-error.ts";
import type { ConversionJournal, RearrangementJournal } from "../../journal/journal.ts";
import type { Journey } from "../../journal/records.ts";
import { runConversion } from "../conversion/conversion.ts";
import type { Settings } from "../options/settings.ts";
import type { RecoveryReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import { recoveryReport } from "./direction.ts";
import { restoreCopy } from "./restore-copy.ts";

/** How an image came back by the copy of its file. */
export const RESTORED = "put back byte for byte, from the copy that the undo kept";

/**
 * `format` is what the image is now. A disk in one piece comes out byte for byte, since there is but one way for it to lie;
 * elsewhere it is the same guest, clean, in the old format and its options.
 */
export async function leadBack(
  session: Session,
  journal: ConversionJournal | RearrangementJournal,
  journey: Journey,
  format: string,
  settings: Settings,
): Promise<RecoveryReport> {
  const { originFormat, originOptions, wishes, stepsTaken, changed, hasCopy } = journey;
  if (hasCopy && (await restoreCopy(session, journal, journey, format, settings))) {
    return recoveryReport(session.path, originFormat, "roll-back", RESTORED);
  }
  const walk = (options: Readonly<Record<string, string>>) =>
    runConversion(
      session,
      originFormat,
      {
        ...settings,
        sourceFormat: format,
        allowMarkedRaw: true,
        options,
        drop: [],
        keepUndo: false,
        keepLeaks: false,
        // Who bounds the way there has not forbidden the way back.
        maxExtraSpace: Number.POSITIVE_INFINITY,
      },
      {
        purpose: "roll-back",
        replacing: journal,
        journey: {
          originFormat,
          originOptions,
          goalFormat: originFormat,
          goalOptions: options,
          wishes: { ...wishes, compact: true, compress: false, maxExtraSpace: null },
          stepsTaken: stepsTaken + 1,
          ...(changed && { changed }),
          ...(hasCopy && { hasCopy }),
        },
      },
    );
  try {
    await walk(originOptions);
  } catch (error) {
    // Some layouts are read but never written, such as QED's tables of one cluster: then the format's own choice.
    if (!(error instanceof UsageError)) throw error;
    await walk({});
  }
  const how = changed ? "converted back, its disk as it was" : "converted back, since units had moved on the way";
  return recoveryReport(session.path, originFormat, "roll-back", how);
}
