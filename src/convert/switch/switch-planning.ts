/** From the image as found to a proven plan; no byte is written here. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { driverOf } from "../../formats/registry.ts";
import type { Draft } from "../../image/target.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import { refuseSharedPlaces } from "../../plan/shared-places.ts";
import { headerAreaSize, planSwitch, type SwitchPlan } from "../../plan/switch-plan.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { refuseCorruption, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions, targetDriverOf } from "../options/target-options.ts";

/** The plan, or `unchanged` where the image is what was asked for already. */
export async function planConversion(
  source: Source,
  targetFormat: string,
  settings: Pick<Settings, "options" | "drop" | "check">,
): Promise<SwitchPlan | "unchanged"> {
  const target = targetDriverOf(targetFormat);
  const options = parseTargetOptions(targetFormat, target, settings.options);
  if (source.image.format === targetFormat && isAsAsked(source.options.creationOptions, options)) {
    refuseUnsound(source, settings.check);
    return "unchanged";
  }
  if (!driverOf(source.image.format).target) {
    throw new ImageError("unsupported", say`Cannot convert ${imageNamed(source.image.storage.path)} in place yet`, {
      because: `${source.image.format} can only be read so far`,
      path: source.image.storage.path,
      format: source.image.format,
      operation: "plan",
    });
  }
  if (settings.check) refuseCorruption(source);
  const draft = target.openConversionTarget(source.options, options, new Set(settings.drop));
  const header = await readHeaderArea(source, draft);
  try {
    refuseSharedPlaces(source.options, source.mapping, source.metadata, source.fileSize);
    return planSwitch({ ...source, header }, target, draft);
  } catch (error) {
    throw namingImage(error, source.image.storage.path);
  }
}

/** What nothing is to be done with is vouched for all the same, so it must be as sound as what is converted. */
function refuseUnsound(source: Source, isChecked: boolean): void {
  const { path } = source.image.storage;
  const { format, unclean } = source.options;
  if (isChecked) refuseCorruption(source);
  if (unclean.length > 0) {
    throw new ImageError("unsupported", say`Cannot convert ${imageNamed(path)} to ${format}`, {
      because: unclean.join("; "),
      path,
      format,
      operation: "plan",
      reasons: unclean,
    });
  }
  try {
    refuseSharedPlaces(source.options, source.mapping, source.metadata, source.fileSize);
  } catch (error) {
    throw namingImage(error, path);
  }
}

/** The file's first bytes, as many as a plan for the draft may change or must keep. */
export function readHeaderArea({ options, image, fileSize }: Source, draft: Draft): Promise<Uint8Array> {
  const size = headerAreaSize(options.clusterSize, draft.clusterSize);
  return readZeroFilled(image.storage, 0, Math.min(size, fileSize));
}

/** The planner knows no paths. */
function namingImage(error: unknown, path: string): unknown {
  if (!(error instanceof ImageError) || error.path !== undefined) return error;
  const what = error.what.withImage(path);
  if (what !== undefined)
    return new ImageError(error.kind, what, { ...error.facts, ...error.words, path, cause: error });
  return new ImageError(error.kind, say`${error.sentence} (in ${imageNamed(path)})`, {
    ...error.facts,
    path,
    cause: error,
  });
}

function isAsAsked(found: TargetOptionValues, asked: TargetOptionValues): boolean {
  return Object.entries(asked).every(([name, value]) => found[name] === value);
}
