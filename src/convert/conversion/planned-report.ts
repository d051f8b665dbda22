/** The report that a plan foretells, and the one of an image that is right already. */

import { alignUp } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder, storedGuestBytes } from "../../image/extent.ts";
import { type FileLayout, fileLayout } from "../../image/file-layout.ts";
import type { Image } from "../../image/source.ts";
import type { Step } from "../../plan/path.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { peakExtraBytes } from "../execute/space.ts";
import { leaksGivenUpBy, leaksText, leaksWarnings } from "../inspect/leaks.ts";
import { checkOfFound, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions, targetDriverOf } from "../options/target-options.ts";
import type { ConversionReport, Layouts, PathStep } from "../report/report.ts";
import type { Stopwatch } from "../session/stopwatch.ts";
import type { DiskWish } from "./disk-wish.ts";
import { forecastOf } from "./forecast.ts";

const NOTHING = {
  changed: false,
  bytesWritten: 0,
  bytesMoved: 0,
  bytesSettled: 0,
  peakExtraBytes: 0,
  syncs: 0,
  path: [],
  dropped: [],
  refused: [],
  rolledBack: false,
  milliseconds: {},
  notes: [],
} as const;

/** `plan` is the first step's, where that is a switch; what later steps come to is added as far as it can be foretold. */
export function plannedReport(
  path: string,
  source: Source,
  { plan, wish: { change, told } }: { readonly plan: SwitchPlan | undefined; readonly wish: DiskWish },
  steps: readonly Step[],
  covers: "guest" | "layer",
  settings: Settings,
): ConversionReport {
  const goal = steps.findLast((step) => step.step === "switch")?.to ?? source.image.format;
  const settles = !settings.keepLeaks && !settings.keepUndo;
  // The plan's switch ends it.
  const isAlone = steps.at(-1)?.step === "switch" && steps.filter(({ step }) => step === "switch").length === 1;
  const settling = isAlone && settles ? plan?.draft.settling : undefined;
  const settled = settling ? settling.bytesMoved + settling.bytesWritten : 0;
  const forecast = forecastOf(source, plan, steps, settings.maxExtraSpace);
  const peak = (plan ? peakExtraBytes(plan, isAlone && settles) : 0) + forecast.peakExtraBytes;
  const keepsLeaks = settings.keepLeaks && !targetDriverOf(goal).countsReferences;
  const leaks = keepsLeaks ? undefined : leaksGivenUpBy(source);
  const dropped = plan?.draft.dropped ?? [];
  const patched = told.reduce((sum, { length }) => sum + length, 0);
  const shape = goalShape(source, goal, plan, settings);
  const fileSize = shape.fileSize ?? forecast.fileSize ?? settling?.fileSize ?? plan?.draft.fileSize ?? source.fileSize;
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat: goal,
    virtualSize: change?.fileSize ?? shape.virtualSize,
    clusterSize: shape.clusterSize,
    guestDataBytes: storedGuestBytes(source.mapping),
    bytesWritten: (plan ? peakExtraBytes(plan, isAlone && settles) : 0) + forecast.bytesWritten + patched,
    bytesMoved: (plan?.bytesMoved ?? 0) + forecast.bytesMoved,
    bytesSettled: settled,
    peakExtraBytes: peak,
    fileSizeBefore: source.fileSize,
    fileSizeAfter: Math.max(fileSize, change?.fileSize ?? 0),
    ...(told.length > 0 && { guestChanges: told }),
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: null, after: null },
    check: { before: checkOfFound(source, settings), after: null },
    path: steps.map(pathStep),
    dropped: [...dropped, ...(leaks ? [leaksText(leaks)] : [])],
    ...(leaks && { leaksGivenUp: leaks }),
    notes: [
      ...leaksWarnings(path, leaks, settings.drop),
      ...(plan?.draft.notes ?? []),
      ...undoNotes(source, steps, change, settings),
    ],
    ...layouts(settings, source, () => (plan && isAlone ? plannedLayout(plan) : null)),
  };
}

/** Whether a copy can be made for nothing shows when one is made. */
function undoNotes(
  { image: { format } }: Source,
  steps: readonly Step[],
  change: DiskWish["change"],
  { keepUndo, maxExtraSpace }: Settings,
): string[] {
  const moves = steps.some(({ step }) => step === "rearrange") && change === undefined;
  if (!keepUndo || !moves) return [];
  const sharing = "where the file system copies a file for nothing (XFS, btrfs, APFS) the undo keeps the old bytes";
  const other = `the way back to the same guest as ${format}`;
  return [Number.isFinite(maxExtraSpace) ? `The undo keeps ${other}` : `${sharing.replace("w", "W")}, else ${other}`];
}

interface Shape {
  readonly virtualSize: number;
  readonly clusterSize: number;
  /** Of a disk in one piece, whose length follows from the disk's. */
  readonly fileSize?: number;
}

/** What the goal will be, also where the first step only leads there. */
function goalShape(source: Source, goal: string, plan: SwitchPlan | undefined, settings: Settings): Shape {
  if (plan === undefined) return { virtualSize: source.image.virtualSize, clusterSize: source.image.clusterSize };
  if (plan.draft.format === goal) return { virtualSize: plan.draft.virtualSize, clusterSize: plan.draft.clusterSize };
  const target = targetDriverOf(goal);
  const options = parseTargetOptions(goal, target, settings.options);
  const draft = target.openConversionTarget(source.options, options, new Set(settings.drop));
  const { virtualSize, clusterSize } = draft;
  if (draft.placement.linearBase === undefined) return { virtualSize, clusterSize };
  const nothing = new ExtentTableBuilder();
  nothing.append(virtualSize, ExtentState.unallocated);
  const space = { oldFileSize: virtualSize, additiveStart: virtualSize };
  const { fileSize } = target.map(draft, nothing.finish(virtualSize), space).settling;
  return { virtualSize, clusterSize, fileSize };
}

/** What was done, but for the figures that were counted on the way. */
export function finishedReport({
  path,
  source,
  image,
  taken,
  covers,
  settings,
  dropped,
}: {
  readonly path: string;
  readonly source: Source;
  /** As it is now. */
  readonly image: Image;
  readonly taken: readonly Step[];
  readonly covers: "guest" | "layer";
  readonly settings: Settings;
  readonly dropped: readonly string[];
}): ConversionReport {
  const keepsLeaks = settings.keepLeaks && !targetDriverOf(image.format).countsReferences;
  const leaks = keepsLeaks ? undefined : leaksGivenUpBy(source);
  return {
    ...NOTHING,
    image: path,
    sourceFormat: source.image.format,
    targetFormat: image.format,
    changed: true,
    virtualSize: image.virtualSize,
    clusterSize: image.clusterSize,
    guestDataBytes: storedGuestBytes(source.mapping),
    fileSizeBefore: source.fileSize,
    fileSizeAfter: image.fileSize,
    guestChecksum:
      settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before: null, after: null },
    check: { before: checkOfFound(source, settings), after: null },
    path: taken.map(pathStep),
    dropped: [...dropped, ...(leaks ? [leaksText(leaks)] : [])],
    ...(leaks && { leaksGivenUp: leaks }),
    notes: leaksWarnings(path, leaks, settings.drop),
    ...layouts(settings, source, () => null),
  };
}

/** As the report has a step. */
export function pathStep(step: Step): PathStep {
  return step.step === "switch" ? { step: "switch", to: step.to } : { step: "rearrange", goal: step.goal };
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
    check: { before: checkOfFound(source, settings), after: null },
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
    check: { before: checkOfFound(source, settings), after: checkOfFound(source, settings) },
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
