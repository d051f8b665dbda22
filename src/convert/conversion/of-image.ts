/** A conversion, or its plan, of the image at a path: what was asked for, the session, the walk, and the report of all of it. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, joined, type Sentence, say } from "../../bytes/sentence.ts";
import { driverOf } from "../../formats/registry.ts";
import { refuseMisplacedJournal } from "../../journal/place.ts";
import type { LookedAt } from "../options/option-rules.ts";
import type { ConvertOptions } from "../options/options.ts";
import { withFilesRead } from "../options/read-files.ts";
import { type Settings, settingsOf } from "../options/settings.ts";
import { conversionOptions } from "../options/usage.ts";
import type { ConversionReport, Foretold } from "../report/report.ts";
import type { Host } from "../session/host.ts";
import { namedImage } from "../session/named-image.ts";
import { Session } from "../session/session.ts";
import { recently, refuseUnfinished } from "../session/surroundings.ts";
import { runConversion } from "./conversion.ts";
import { foretell } from "./foretell.ts";

/** As `convert`, of options that have been read. */
export async function convertImage(
  path: string,
  targetFormat: string,
  looked: LookedAt<ConvertOptions>,
  host: Host,
): Promise<ConversionReport> {
  const { settings, format, isDryRun } = await wishOf("convert", path, targetFormat, looked, host);
  if (isDryRun) {
    const { report, refusals } = await foretell(path, format, settings, host);
    if (report.refused.length > 0) throw refusal(report, refusals);
    return report;
  }
  const named = await namedImage(host.volume, path, settings.sourceFormat);
  const actualSizeBefore = await actualSizeOf(host, named.path);
  const session = await Session.open(named, host, "convert", { journal: settings.journal, look: recently() });
  try {
    await refuseUnfinished(session);
    const report = await runConversion(session, format, settings);
    const actualSizeAfter = await actualSizeOf(host, named.path);
    const imageAfter = await session.imagePath();
    return {
      ...report,
      image: path,
      ...(imageAfter !== path && { imageAfter }),
      ...(session.sidecarName !== undefined && { diskFile: named.path }),
      ...(actualSizeBefore !== undefined && { actualSizeBefore }),
      ...(actualSizeAfter !== undefined && { actualSizeAfter }),
    };
  } finally {
    await session.close();
  }
}

/** As `plan`, of options that have been read. */
export async function planImage(
  path: string,
  targetFormat: string,
  looked: LookedAt<ConvertOptions>,
  host: Host,
): Promise<Foretold> {
  const { settings, format } = await wishOf("plan", path, targetFormat, looked, host);
  return foretell(path, format, settings, host);
}

/** What was asked for, read and looked through before the image is. */
async function wishOf(
  verb: "convert" | "plan",
  path: string,
  targetFormat: string,
  looked: LookedAt<ConvertOptions>,
  host: Host,
): Promise<{ readonly settings: Settings; readonly format: string; readonly isDryRun: boolean }> {
  const asked = conversionOptions(verb, path, targetFormat, looked);
  const given = await withFilesRead(host.volume, targetFormat, asked);
  await refuseMisplacedJournal(host.volume, path, given.journal);
  // The format was checked, and may be another name of it.
  return { settings: settingsOf(given), format: driverOf(targetFormat).name, isDryRun: given.dryRun ?? false };
}

/** What is done is done: a figure that can't be had fails nothing. */
async function actualSizeOf({ volume }: Host, path: string): Promise<number | undefined> {
  return (await volume.facts(path).catch(() => undefined))?.allocatedSize;
}

function refusal(report: ConversionReport, refusals: readonly Sentence[]): ImageError {
  return new ImageError(
    "unsupported",
    say`Cannot convert ${imageNamed(report.image)} from ${report.sourceFormat} to ${report.targetFormat}`,
    {
      because: joined(refusals, "; "),
      path: report.image,
      format: report.sourceFormat,
      operation: "plan",
      reasons: refusals,
    },
  );
}
