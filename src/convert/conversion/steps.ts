/** The steps that lead from an image as it stands to the goal, and what each switch on the way is asked for. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { driverOf } from "../../formats/registry.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import type { PackForm } from "../../image/pack-form.ts";
import type { Journey } from "../../journal/records.ts";
import { isGathered } from "../../plan/gather-units.ts";
import { pathTo, type Standing, type Step } from "../../plan/path.ts";
import { usedUpTo } from "../../plan/switch-plan.ts";
import type { OpenedBacking } from "../inspect/opened-backing.ts";
import type { Source } from "../inspect/source.ts";
import { packFormOf, parseTargetOptions } from "../options/target-options.ts";
import { gatheringNeed } from "../rearrange/gathering.ts";
import { isAsAsked, type SwitchWish } from "../switch/switch-planning.ts";
import type { DiskWish } from "./disk-wish.ts";
import { carrierWaypoint, waypointOf, waypointTo } from "./wish.ts";

export type Switching = Step & { readonly step: "switch" };

/** What the image alone does not say. */
export interface Found {
  readonly standing?: Standing;
  /** Tables are to be made anew, though all is as asked. */
  readonly isRemade?: boolean;
  /** Zeros are given up where the image stands. */
  readonly empties?: boolean | undefined;
}

type Reading = Pick<SwitchWish, "view" | "fillsIn">;

export function stepsFrom(
  source: Source,
  { goalFormat, goalOptions, wishes }: Journey,
  { change }: DiskWish,
  { standing = "elsewhere", isRemade = false, empties = false }: Found = {},
): readonly Step[] {
  const relocates = change !== undefined;
  const from = {
    ...waypointOf(source.image),
    isAsAsked: !relocates && !isRemade && isAsAsked(source, goalFormat, goalOptions),
    standing,
    relocates,
    empties,
    ...whereUnitsLie(source, { goalFormat, goalOptions, wishes }),
  };
  return pathTo(from, waypointTo(goalFormat, goalOptions), carrierWaypoint(), wishes);
}

/** What the goal's own tables need at the file's front, and whether the source leaves it free; and whether units have to come together for whoever points at them next. */
function whereUnitsLie(source: Source, goal: Pick<Journey, "goalFormat" | "goalOptions" | "wishes">) {
  const { goalFormat, goalOptions } = goal;
  const { options, mapping, metadata } = source;
  const target = targetDriverOf(goalFormat);
  const values = parseTargetOptions(goalFormat, target, goalOptions);
  const goalFront = target.front?.(options.virtualSize, values) ?? 0;
  const { isInOnePiece, isPacked } = waypointTo(goalFormat, goalOptions);
  const next = isInOnePiece || isPacked ? { ...goal, goalFormat: carrierWaypoint().format, goalOptions: {} } : goal;
  const gathering = gatheringNeed(source, next);
  if (gathering || goalFront === 0) return { goalFront, front: 0, gathering };
  const { placement } = target.openConversionTarget(options, values, new Set());
  const isFree =
    isFrontFree(source, goalFront) &&
    (placement.dense === undefined ||
      driverOf(options.format).isHub ||
      isGathered(mapping, metadata, placement, options.clusterSize));
  return { goalFront, front: goalFront > SECTOR_SIZE && !isFree ? goalFront : 0 };
}

function isFrontFree(source: Source, end: number): boolean {
  const { linearBase, clusterSize } = source.options;
  // Where clusters lie at any sector a guest's next one goes to the file's end.
  const isHub = driverOf(source.image.format).isHub ?? false;
  return (
    linearBase === undefined && (isHub || clusterSize >= end) && !usedUpTo(source, end).intersects(SECTOR_SIZE, end)
  );
}

/**
 * Whether the old bytes are to be had back by a copy alone: behind a rearrangement, or a carrier that took the front's place.
 * A disk that is changed itself is put back by what its journals hold.
 */
export function needsCopy(steps: readonly Step[], { change }: Pick<DiskWish, "change">): boolean {
  const isGone = (each: Step) => each.step === "rearrange" || each.front !== undefined;
  return change === undefined && steps.some(isGone);
}

/** How the guest is read, where the target can't hold all as it lies. */
export function readingOf({ image }: Source, guest: OpenedBacking): Reading {
  return { view: () => guest.view(image), fillsIn: guest.covers === "guest" };
}

export function switchWishOf(
  step: Switching,
  { goalFormat, goalOptions, wishes }: Journey,
  reading: Reading,
): SwitchWish {
  const form = step.packs && packFormOf({ goalFormat, goalOptions });
  return {
    targetFormat: step.to,
    options: step.isGoal ? goalOptions : clearing(step, form),
    isCarrier: step.isCarrier,
    room: step.room,
    isPlain: (step.isCarrier && !step.packs) || step.front !== undefined,
    // What another method has compressed is compressed anew.
    ...(form && { form, mayInflate: true }),
    compress: step.isGoal && wishes.compress,
    ...reading,
  };
}

function clearing({ to, front, room }: Switching, form: PackForm | undefined): Readonly<Record<string, string>> {
  if (room) return room.options;
  const target = targetDriverOf(to);
  const options = form
    ? target.optionsForPacking?.(form.unitSize)
    : front === undefined
      ? undefined
      : target.optionsForFront?.(front);
  return options ?? {};
}
