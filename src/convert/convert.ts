/** `convert` and `plan`: the whole of a conversion at one look; the steps are in conversion.ts. */

import { ImageError } from "../bytes/image-error.ts";
import { openImage } from "../formats/registry.ts";
import { clearTornJournal, Journal } from "../journal/journal.ts";
import { planText } from "../plan/plan-text.ts";
import { askBefore, runConversion } from "./conversion.ts";
import { planConversion } from "./conversion-plan.ts";
import { standing } from "./failure.ts";
import { type Host, thisHost } from "./host.ts";
import { plannedReport, refusedReport, unchangedReport } from "./planned-report.ts";
import type { ConversionReport, ConvertOptions } from "./report.ts";
import { Session } from "./session.ts";
import { settingsOf } from "./settings.ts";
import { inspectSource } from "./source.ts";
import { Stopwatch } from "./stopwatch.ts";

/**
 * Changes the format of the image at `path` to `targetFormat`, inside its own file.
 *
 * @throws ImageError with `reasons` for a refusal, with `rolledBack` where the image was put back, and with `journal`
 * where that stands and `resume` or `rollback` goes on; in all other cases nothing was written.
 * @throws UsageError for options that no image could take
 */
export async function convert(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<ConversionReport> {
  const settings = settingsOf(options);
  if (options.dryRun) {
    const { report } = await plan(path, targetFormat, options, host);
    if (report.refused.length > 0) throw refusal(report);
    return report;
  }
  const session = await Session.open(path, host);
  try {
    await refuseUnfinished(session);
    return await runConversion(session, targetFormat, settings);
  } finally {
    await session.close();
  }
}

/** What `convert` would do, as a report and as text; a refusal is in `report.refused`. Writes nothing. */
export async function plan(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<{ readonly report: ConversionReport; readonly text: string }> {
  const settings = settingsOf(options);
  const storage = await host.volume.openForReading(path);
  try {
    const source = await inspectSource(await openImage(storage, settings.sourceFormat, settings));
    const covers = source.options.backing && !settings.backingChain ? "layer" : "guest";
    try {
      const planned = await planConversion(source, targetFormat, settings);
      const report =
        planned === "unchanged"
          ? unchangedReport(path, source, covers, null, settings, new Stopwatch(host.now))
          : plannedReport(path, source, planned, covers, settings);
      await askBefore(source.image, settings);
      return { report, text: planText(planned === "unchanged" ? "unchanged" : "planned", report) };
    } catch (error) {
      if (!(error instanceof ImageError) || error.reasons.length === 0) throw error;
      const report = refusedReport(path, source, targetFormat, error.reasons, settings);
      return { report, text: planText("refused", report) };
    }
  } finally {
    await storage.close();
  }
}

/** An image with a journal or an undo beside it is not converted or repaired again; what a cut left before its first write is cleared. */
export async function refuseUnfinished(session: Session): Promise<void> {
  const found = await Journal.find(session.volume, session.path);
  if (found === "none") return;
  if (found === "torn") return clearTornJournal(session.volume, session.path);
  if (found.progress.rolledBack) return found.remove();
  await found.close();
  const before = found.repair === undefined ? "conversion" : "repair";
  const what = found.isUndo ? `the undo of a ${before} is kept beside it` : `a ${before} of it was interrupted`;
  throw standing(
    session.path,
    found,
    new ImageError("interrupted", `Cannot ${session.verb} ${session.path}: ${what}`, { operation: "plan" }),
  );
}

function refusal(report: ConversionReport): ImageError {
  return new ImageError(
    "unsupported",
    `Cannot convert ${report.image} from ${report.sourceFormat} to ${report.targetFormat}: ${report.refused.join("; ")}`,
    { path: report.image, format: report.sourceFormat, operation: "plan", reasons: report.refused },
  );
}
