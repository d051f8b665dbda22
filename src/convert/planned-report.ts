/** The report that a plan foretells, and the one of an image that is right already. */

import type { SwitchPlan } from "../plan/switch-plan.ts";
import type { ConversionReport } from "./report.ts";
import type { Settings } from "./settings.ts";
import type { Source } from "./source.ts";
import { peakExtraBytes } from "./space.ts";
import type { Stopwatch } from "./stopwatch.ts";

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
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat: draft.format,
    virtualSize: draft.virtualSize,
    clusterSize: draft.clusterSize,
    bytesWritten: peak,
    bytesMoved: plan.bytesMoved,
    bytesSettled: settled,
    peakExtraBytes: peak,
    fileSizeBefore: source.fileSize,
    fileSizeAfter: settles ? draft.settling.fileSize : draft.fileSize,
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: null, after: null },
    check: { before: settings.check ? source.check : null, after: null },
    dropped: draft.dropped,
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
    fileSizeBefore: source.fileSize,
    fileSizeAfter: source.fileSize,
    guestChecksum: null,
    check: { before: settings.check ? source.check : null, after: null },
    refused,
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
    fileSizeBefore: source.fileSize,
    fileSizeAfter: source.fileSize,
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: digest, after: digest },
    check: { before: settings.check ? source.check : null, after: settings.check ? source.check : null },
    milliseconds: watch.milliseconds,
  };
}
