/** The report that a plan foretells, and the one of a plan that is refused. */

import { alignUp } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { ExtentState, ExtentTableBuilder } from "../../image/extent.ts";
import { type FileLayout, fileLayout } from "../../image/file-layout.ts";
import type { Step } from "../../plan/path.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { peakExtraBytes, peakOf } from "../execute/space.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions } from "../options/target-options.ts";
import { gatheredSize } from "../rearrange/gathering.ts";
import type { ConversionReport } from "../report/report.ts";
import { oneWayNotes } from "../session/way-back.ts";
import type { DiskWish } from "./disk-wish.ts";
import { forecastOf } from "./forecast.ts";
import { baseReport, type Covers, checksumOf, layouts, lossesOf, pathStep } from "./report-base.ts";
import { needsCopy } from "./steps.ts";
import { optionTextsOf } from "./wish.ts";

/** Of a step, journal, commit and the last looks; of a rearrangement besides those between its epochs. */
const SYNCS_OF_STEP = 8;

export interface Plans {
  /** The first step's, where that is a switch. */
  readonly plan: SwitchPlan | undefined;
  /** The second's, where the first clears the file's front for it. */
  readonly behind?: SwitchPlan | undefined;
  readonly wish: DiskWish;
}

/** What later steps come to is added as far as it can be foretold. */
export function plannedReport(
  path: string,
  source: Source,
  { plan, behind, wish: { change, told } }: Plans,
  steps: readonly Step[],
  covers: Covers,
  settings: Settings,
): ConversionReport {
  const goal = steps.findLast((step) => step.step === "switch")?.to ?? source.image.format;
  const settles = !settings.keepLeaks && !settings.keepUndo;
  // The plan's switch ends it.
  const isAlone = steps.at(-1)?.step === "switch" && steps.filter(({ step }) => step === "switch").length === 1;
  const settling = isAlone && settles ? plan?.draft.settling : undefined;
  const settled = settling ? settling.bytesMoved + settling.bytesWritten : 0;
  const forecast = forecastOf(source, plan, steps, settings.maxExtraSpace);
  const written = plan ? peakExtraBytes(plan, isAlone && settles) : 0;
  const writtenBehind = behind ? peakExtraBytes(behind, settles) : 0;
  const { notes, ...losses } = lossesOf(path, source, goal, settings, plan?.draft.dropped ?? []);
  const patched = told.reduce((sum, { length }) => sum + length, 0);
  const shape = behind?.draft ?? goalShape(source, goal, plan, settings);
  const gathered = steps.some((step) => step.step === "rearrange" && step.goal === "gather")
    ? gatheredSize(source, { goalFormat: goal, goalOptions: settings.options, wishes: { maxExtraSpace: null } })
    : undefined;
  const fileSize =
    gathered ?? shape.fileSize ?? forecast.fileSize ?? settling?.fileSize ?? plan?.draft.fileSize ?? source.fileSize;
  return {
    ...baseReport(path, source, settings),
    targetFormat: goal,
    virtualSize: change?.fileSize ?? shape.virtualSize,
    clusterSize: shape.clusterSize,
    bytesWritten: written + writtenBehind + forecast.bytesWritten + patched,
    bytesMoved: (plan?.bytesMoved ?? 0) + (behind?.bytesMoved ?? 0) + forecast.bytesMoved,
    bytesSettled: settled,
    peakExtraBytes: behind && plan ? peakOf({ plan, behind }, settles) : written + forecast.peakExtraBytes,
    syncs: steps.length * SYNCS_OF_STEP + forecast.barriers,
    fileSizeAfter: Math.max(fileSize, change?.fileSize ?? 0),
    ...(told.length > 0 && { guestChanges: told }),
    guestChecksum: checksumOf(settings, covers, null, null),
    path: steps.map(pathStep),
    ...losses,
    notes: [...notes, ...(plan?.draft.notes ?? []), ...undoNotes(source, steps, change, settings)],
    ...layouts(settings, source, () => (plan && isAlone ? plannedLayout(plan) : null)),
  };
}

/** Whether a copy can be made for nothing shows when one is made. */
function undoNotes(
  source: Source,
  steps: readonly Step[],
  change: DiskWish["change"],
  { keepUndo, maxExtraSpace }: Settings,
): string[] {
  const { format } = source.image;
  if (!keepUndo || !needsCopy(steps, { change }))
    return oneWayNotes(steps.length, { originFormat: format, originOptions: optionTextsOf(source) });
  const other = `the way back to the same guest as ${format}`;
  if (Number.isFinite(maxExtraSpace)) return [`The undo keeps ${other}`];
  return [
    `Where the file system copies a file for nothing (XFS, btrfs, APFS) the undo keeps the old bytes, which may come to take as much again, else ${other}`,
  ];
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

export function refusedReport(
  path: string,
  source: Source,
  targetFormat: string,
  refused: readonly string[],
  settings: Settings,
): ConversionReport {
  return { ...baseReport(path, source, settings), targetFormat, refused, ...layouts(settings, source, () => null) };
}

/** The new tables end the file; null where settling would move things once more. */
function plannedLayout({ draft }: SwitchPlan): FileLayout | null {
  const { settling, fileSize, clusterSize, metadataBytes, extents } = draft;
  if (settling.bytesMoved > 0 || settling.fileSize !== fileSize) return null;
  const tablesStart = fileSize - alignUp(metadataBytes, clusterSize);
  const metadata = RangeSet.of({ start: 0, end: clusterSize }, { start: tablesStart, end: fileSize });
  return fileLayout({ mapping: extents, metadata, clusterSize, fileSize });
}
