/** The switch behind the one that clears the file's front, planned from the image as that will leave it: of tables nothing is read. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { type ConversionOptions, DISK_ALONE } from "../../image/source.ts";
import type { Journey } from "../../journal/records.ts";
import type { Step } from "../../plan/path.ts";
import { headerAreaSize, planSwitch, type SwitchPlan } from "../../plan/switch-plan.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions } from "../options/target-options.ts";
import { namingImage } from "../switch/switch-planning.ts";

/** `plan` is of `step`. Undefined where that clears no front. Throws ImageError for what the goal refuses. */
export function planBehind(
  plan: SwitchPlan,
  step: Step,
  { goalFormat, goalOptions }: Pick<Journey, "goalFormat" | "goalOptions">,
  { drop }: Pick<Settings, "drop">,
  path: string,
): SwitchPlan | undefined {
  if (step.step !== "switch" || step.front === undefined) return undefined;
  const { extents: mapping, clusterSize, fileSize, metadataBytes } = plan.draft;
  const options = optionsBehind(plan);
  const target = targetDriverOf(goalFormat);
  const draft = target.openConversionTarget(
    options,
    parseTargetOptions(goalFormat, target, goalOptions),
    new Set(drop),
  );
  const metadata = RangeSet.of({ start: 0, end: clusterSize }, { start: fileSize - metadataBytes, end: fileSize });
  const header = headerBehind(plan, Math.min(headerAreaSize(clusterSize, draft), fileSize));
  try {
    return planSwitch({ options, mapping, metadata, fileSize, header }, target, draft);
  } catch (error) {
    throw namingImage(error, path);
  }
}

/** The old one, of which nothing but the commit's sector and what came with it was written over. */
function headerBehind({ header, commit }: SwitchPlan, length: number): Uint8Array {
  const behind = new Uint8Array(Math.max(length, header.length));
  behind.set(header);
  for (const { hostOffset, bytes } of commit.extras) behind.set(bytes, hostOffset);
  behind.set(commit.sector, commit.hostOffset);
  return behind.subarray(0, length);
}

/** A disk alone, over what the source lies over: what else that had is its own, or was dropped. */
function optionsBehind({ source, draft }: SwitchPlan): ConversionOptions {
  return {
    ...DISK_ALONE,
    backing: source.backing,
    format: draft.format,
    virtualSize: draft.virtualSize,
    clusterSize: draft.clusterSize,
    clustersPerTable: 0,
    sharingSize: draft.clusterSize,
    usedHeader: RangeSet.of({ start: 0, end: SECTOR_SIZE }),
    creationOptions: draft.options,
  };
}
