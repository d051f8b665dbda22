/** The report that a plan foretells, and the one of an image that is right already. */

import { alignUp } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { storedGuestBytes } from "../../image/extent.ts";
import { type FileLayout, fileLayout } from "../../image/file-layout.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { peakExtraBytes } from "../execute/space.ts";
import { leaksGivenUpBy, leaksText, leaksWarnings } from "../inspect/leaks.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { targetDriverOf } from "../options/target-options.ts";
import type { ConversionReport, Layouts } from "../report/report.ts";
import type { Stopwatch } from "../session/stopwatch.ts";

const NOTHING = {
  changed: false,
  bytesWritten: 0,
  bytesMoved: 0,
  bytesSettled: 0,
  peakExtraBytes: 0,
  syncs: 0,
  dropped: [],
  refused: [],
  rolledBack: false,
  milliseconds: {},
  notes: [],
} as const;

export function plannedReport(
  path: string,
  source: Source,
  plan: SwitchPlan,
  covers: "guest" | "layer",
  settings: Settings,
): ConversionReport {
  const { draft } = plan;
  const settles = !settings.keepLeaks && !settings.keepUndo;
  const settled = settles ? draft.settling.bytesMoved + draft.settling.bytesWritten : 0;
  const peak = peakExtraBytes(plan, settles);
  const keepsLeaks = settings.keepLeaks && !targetDriverOf(draft.format).countsReferences;
  const leaks = keepsLeaks ? undefined : leaksGivenUpBy(source);
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat: draft.format,
    virtualSize: draft.virtualSize,
    clusterSize: draft.clusterSize,
    guestDataBytes: storedGuestBytes(source.mapping),
    bytesWritten: peak,
    bytesMoved: plan.bytesMoved,
    bytesSettled: settled,
    peakExtraBytes: peak,
    fileSizeBefore: source.fileSize,
    fileSizeAfter: settles ? draft.settling.fileSize : draft.fileSize,
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: null, after: null },
    check: { before: settings.check ? source.check : null, after: null },
    dropped: [...draft.dropped, ...(leaks ? [leaksText(leaks)] : [])],
    ...(leaks && { leaksGivenUp: leaks }),
    notes: leaksWarnings(path, leaks, settings.drop),
    ...layouts(settings, source, () => plannedLayout(plan)),
  };
}

export function refusedReport(
  path: string,
  source: Source,
  targetFormat: string,
  refused: readonly string[],
  settings: Settings,
): ConversionReport {
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat,
    virtualSize: source.image.virtualSize,
    clusterSize: source.image.clusterSize,
    guestDataBytes: storedGuestBytes(source.mapping),
    fileSizeBefore: source.fileSize,
    fileSizeAfter: source.fileSize,
    guestChecksum: null,
    check: { before: settings.check ? source.check : null, after: null },
    refused,
    ...layouts(settings, source, () => null),
  };
}

export function unchangedReport(
  path: string,
  source: Source,
  covers: "guest" | "layer",
  digest: string | null,
  settings: Settings,
  watch: Stopwatch,
): ConversionReport {
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat: source.image.format,
    virtualSize: source.image.virtualSize,
    clusterSize: source.image.clusterSize,
    guestDataBytes: storedGuestBytes(source.mapping),
    fileSizeBefore: source.fileSize,
    fileSizeAfter: source.fileSize,
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: digest, after: digest },
    check: { before: settings.check ? source.check : null, after: settings.check ? source.check : null },
    milliseconds: watch.milliseconds,
    ...layouts(settings, source, (before) => before),
  };
}

/** `after` of a conversion that was carried out takes the place of what is foretold here. */
function layouts(
  settings: Settings,
  source: Source,
  after: (before: FileLayout) => FileLayout | null,
): { readonly layout?: Layouts } {
  if (!settings.layout) return {};
  const { mapping, metadata, fileSize } = source;
  const before = fileLayout({ mapping, metadata, fileSize, clusterSize: source.image.clusterSize });
  return { layout: { before, after: after(before) } };
}

/** The new tables end the file; null where settling would move things once more. */
function plannedLayout({ draft }: SwitchPlan): FileLayout | null {
  const { settling, fileSize, clusterSize, metadataBytes, extents } = draft;
  if (settling.bytesMoved > 0 || settling.fileSize !== fileSize) return null;
  const tablesStart = fileSize - alignUp(metadataBytes, clusterSize);
  const metadata = RangeSet.of({ start: 0, end: clusterSize }, { start: tablesStart, end: fileSize });
  return fileLayout({ mapping: extents, metadata, clusterSize, fileSize });
}
