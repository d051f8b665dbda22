/** What a conversion is to come to, told apart from where it comes from. */

import { carrierDriver, driverOf, isMadeInOnePiece } from "../../formats/registry.ts";
import { leavesLeaks, targetOf } from "../../formats/target-registry.ts";
import type { FormatDriver } from "../../image/driver.ts";
import type { Image } from "../../image/source.ts";
import { makeable } from "../../image/target-options.ts";
import type { Journey, Wishes } from "../../journal/records.ts";
import type { Waypoint } from "../../plan/path.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { packFormOf } from "../options/target-options.ts";
import { gatheringNeed } from "../rearrange/gathering.ts";
import { isAsAsked } from "../switch/switch-planning.ts";

/** Zeros in runs of this are holes, as for qemu-img, where the source's length says nothing of its data. */
const USUAL_SPARSE_SIZE = 4096;

/**
 * The wishes, each default by what the first source is. What had to lie behind all that a source could grow to comes nearer,
 * but where its undo is to be kept: that is its old bytes where they are.
 */
export function wishesOf(source: Source, targetFormat: string, settings: Settings): Wishes {
  const { options } = source;
  const wasInOnePiece = options.linearBase !== undefined;
  const isFar = options.grownEnd !== undefined && !settings.keepUndo;
  const isLong = (wasInOnePiece || isFar) && !waypointTo(targetFormat, settings.options).isInOnePiece;
  return {
    compress: settings.compress,
    compact:
      settings.compact ??
      (settings.compress ||
        isLong ||
        isLeaky(source, targetFormat, settings) ||
        isGathered(source, targetFormat, settings)),
    sparseSize: settings.sparseSize ?? (wasInOnePiece ? USUAL_SPARSE_SIZE : 0),
    reproducible: settings.reproducible,
    maxExtraSpace: Number.isFinite(settings.maxExtraSpace) ? settings.maxExtraSpace : null,
  };
}

/** Whether spares and old tables would be left between what is brought together and the new tables. */
function isGathered(source: Source, goalFormat: string, { options: goalOptions, maxExtraSpace }: Settings): boolean {
  const wishes = { maxExtraSpace: Number.isFinite(maxExtraSpace) ? maxExtraSpace : null };
  return gatheringNeed(source, { goalFormat, goalOptions, wishes }) !== undefined;
}

/** Whether the switch would leave leaks that nothing else gives back. A kept undo needs what the old format left. */
function isLeaky(source: Source, targetFormat: string, { options, keepLeaks, keepUndo }: Settings): boolean {
  return leavesLeaks(targetFormat) && !keepLeaks && !keepUndo && !isAsAsked(source, targetFormat, options);
}

/** Where a conversion that begins here comes from and goes to. */
export function journeyFrom(source: Source, goalFormat: string, settings: Settings): Journey {
  return {
    originFormat: source.image.format,
    originOptions: optionTextsOf(source),
    goalFormat,
    goalOptions: settings.options,
    wishes: wishesOf(source, goalFormat, settings),
    stepsTaken: 0,
  };
}

/** An image as the path finder sees it. */
export function waypointOf(image: Pick<Image, "format" | "getConversionOptions">): Waypoint {
  return waypoint(driverOf(image.format), image.getConversionOptions().linearBase !== undefined);
}

/** What an image of the format will be, made with these options. */
export function waypointTo(format: string, options: Readonly<Record<string, string>>): Waypoint {
  const driver = driverOf(format);
  const isPacked = packFormOf({ goalFormat: format, goalOptions: options }) !== undefined;
  return { ...waypoint(driver, isMadeInOnePiece(driver, options)), isPacked };
}

export function isGoalInOnePiece({ goalFormat, goalOptions }: Pick<Journey, "goalFormat" | "goalOptions">): boolean {
  return waypointTo(goalFormat, goalOptions).isInOnePiece;
}

export function carrierWaypoint(): Waypoint {
  return waypoint(carrierDriver(), false);
}

function waypoint({ name, onePiece, canRearrange }: FormatDriver, isInOnePiece: boolean): Waypoint {
  const by = isInOnePiece ? onePiece?.by : undefined;
  return {
    format: name,
    isInOnePiece,
    canRearrange: canRearrange ?? false,
    by: by === undefined ? undefined : waypoint(driverOf(by), true),
  };
}

/** What makes the image's layout again, as far as anything does, as the user would write it after `-o`. */
export function optionTextsOf({ image, options }: Source): Record<string, string> {
  const values = makeable(targetOf(image.format)?.options ?? [], options.creationOptions);
  const text = (value: string | number | boolean) =>
    typeof value === "boolean" ? (value ? "on" : "off") : String(value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}

/** The text beside an image that goes with it; a name that one had, or may get, is as good as any other's. */
export function ownText({ image }: Source, name: string | undefined): string | undefined {
  return driverOf(image.format).diskOf === undefined ? undefined : name;
}

/**
 * Whether what other texts may say of the file is true no more once it is of the goal's format: that it is a disk in one
 * piece, or that it is of the format in which its own text names it.
 */
export function losesRawDisk({ options }: Source, goalFormat: string, own: string | undefined): boolean {
  const { marks, diskOf } = driverOf(goalFormat);
  const isNamed = options.linearBase === undefined && own !== undefined;
  return isNamed || (options.linearBase !== undefined && marks.length > 0 && diskOf === undefined);
}
