/** What every report says of the image as it was found, and the report of one that is right already. */

import { targetDriverOf } from "../../formats/target-registry.ts";
import { storedGuestBytes } from "../../image/extent.ts";
import { type FileLayout, fileLayout } from "../../image/file-layout.ts";
import type { Step } from "../../plan/path.ts";
import type { PathStep } from "../../plan/path-text.ts";
import { leaksGivenUpBy, leaksText, leaksWarnings } from "../inspect/leaks.ts";
import { checkOfFound, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { ConversionReport, GuestChecksum, Layouts } from "../report/report.ts";
import type { Stopwatch } from "../session/stopwatch.ts";

/** How much of the guest a digest covers. */
export type Covers = GuestChecksum["covers"];

/** As if nothing were done. */
export function baseReport(path: string, source: Source, settings: Settings): ConversionReport {
  const { image, fileSize, mapping } = source;
  return {
    image: path,
    sourceFormat: image.format,
    targetFormat: image.format,
    changed: false,
    virtualSize: image.virtualSize,
    clusterSize: image.clusterSize,
    guestDataBytes: storedGuestBytes(mapping),
    bytesWritten: 0,
    bytesMoved: 0,
    bytesSettled: 0,
    peakExtraBytes: 0,
    syncs: 0,
    fileSizeBefore: fileSize,
    fileSizeAfter: fileSize,
    guestChecksum: null,
    check: { before: checkOfFound(source, settings), after: null },
    path: [],
    dropped: [],
    refused: [],
    rolledBack: false,
    milliseconds: {},
    notes: [],
  };
}

export function unchangedReport(
  path: string,
  source: Source,
  covers: Covers,
  digest: string | null,
  settings: Settings,
  watch: Stopwatch,
): ConversionReport {
  const base = baseReport(path, source, settings);
  return {
    ...base,
    guestChecksum: checksumOf(settings, covers, digest, digest),
    check: { before: base.check.before, after: base.check.before },
    milliseconds: watch.milliseconds,
    ...layouts(settings, source, (before) => before),
  };
}

/** Null where none was asked for. */
export function checksumOf(
  { checksum }: Settings,
  covers: Covers,
  before: string | null,
  after: string | null,
): GuestChecksum | null {
  return checksum === "none" ? null : { algorithm: checksum, covers, before, after };
}

/** What a conversion to `format` gives up, and the words for it. */
export function lossesOf(
  path: string,
  source: Source,
  format: string,
  { keepLeaks, drop }: Settings,
  dropped: readonly string[],
): Pick<ConversionReport, "dropped" | "leaksGivenUp" | "notes"> {
  const keepsLeaks = keepLeaks && !targetDriverOf(format).countsReferences;
  const leaks = keepsLeaks ? undefined : leaksGivenUpBy(source);
  return {
    dropped: [...dropped, ...(leaks ? [leaksText(leaks)] : [])],
    ...(leaks && { leaksGivenUp: leaks }),
    notes: leaksWarnings(path, leaks, drop),
  };
}

/** As the report has a step. */
export function pathStep(step: Step): PathStep {
  return step.step === "switch" ? { step: "switch", to: step.to } : { step: "rearrange", goal: step.goal };
}

/** Absent where no picture was asked for. */
export function layouts(
  settings: Settings,
  source: Source,
  after: (before: FileLayout) => FileLayout | null,
): { readonly layout?: Layouts } {
  if (!settings.layout) return {};
  const { mapping, metadata, fileSize } = source;
  const before = fileLayout({ mapping, metadata, fileSize, clusterSize: source.image.clusterSize });
  return { layout: { before, after: after(before) } };
}
