/** `convert` and `plan`: the whole of a conversion at one look; the steps are in conversion.ts. */

import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, joined, type Sentence, say } from "../bytes/sentence.ts";
import { driverOf } from "../formats/registry.ts";
import { refuseMisplacedJournal } from "../journal/place.ts";
import { runConversion } from "./conversion/conversion.ts";
import { type Foretold, foretell } from "./conversion/foretell.ts";
import type { ConvertOptions } from "./options/options.ts";
import { withFilesRead } from "./options/read-files.ts";
import { settingsOf } from "./options/settings.ts";
import { conversionOptions } from "./options/usage.ts";
import type { ConversionReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";
import { namedImage } from "./session/named-image.ts";
import { Session } from "./session/session.ts";
import { recently, refuseUnfinished } from "./session/surroundings.ts";

/**
 * Changes the format of the image at `path` to `targetFormat`, inside its own file.
 *
 * @throws ImageError with `reasons` for a refusal, with `rolledBack` where the image was put back, and with `journal`
 * where that stands and `resume` or `rollback` goes on; in all other cases nothing was written.
 * @throws UsageError for a path, a format or options that no image could take; nothing was opened
 */
export async function convert(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<ConversionReport> {
  const asked = conversionOptions("convert", path, targetFormat, options);
  const given = await withFilesRead(host.volume, targetFormat, asked);
  await refuseMisplacedJournal(host.volume, path, given.journal);
  const settings = settingsOf(given);
  // It was checked, and may be another name of the format's.
  const format = driverOf(targetFormat).name;
  if (given.dryRun) {
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

/**
 * What `convert` would do, as a report and as text; wherever it would refuse, all reasons are in `report.refused`.
 * Writes nothing.
 *
 * @throws ImageError for a file that can't be read or is no image whose tables can be followed
 * @throws UsageError as `convert` does
 */
export async function plan(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<Foretold> {
  const asked = conversionOptions("plan", path, targetFormat, options);
  const given = await withFilesRead(host.volume, targetFormat, asked);
  await refuseMisplacedJournal(host.volume, path, given.journal);
  return foretell(path, driverOf(targetFormat).name, settingsOf(given), host);
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
