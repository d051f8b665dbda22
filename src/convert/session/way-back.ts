/** Whether an image can become again what it was, once the old layout is gone: some formats are read and never written. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, type Sentence, say } from "../../bytes/sentence.ts";
import { targetOf } from "../../formats/target-registry.ts";
import type { Journey } from "../../journal/records.ts";

/** What an image was: its format, and `-o` that would make its layout again. */
export type Origin = Pick<Journey, "originFormat" | "originOptions">;

export function canBeMade({ originFormat, originOptions }: Origin): boolean {
  const target = targetOf(originFormat);
  return target !== undefined && !target.onlyReads?.(originOptions);
}

/** Throws ImageError `unsupported` before anything is touched, where the old layout is gone and can't be made again. */
export function refuseNoWayBack(path: string, journey: Origin & Pick<Journey, "hasCopy">): void {
  if (journey.hasCopy || canBeMade(journey)) return;
  throw new ImageError("unsupported", say`Cannot put ${imageNamed(path)} back`, {
    because: `its old layout was given up, and ${kindOf(journey)} can only be read so far`,
    path,
    operation: "roll back",
  });
}

/** The same where an undo is to be kept that would have to make the old format again; `why` no copy of the file is kept. */
export function refuseEmptyUndo(path: string, origin: Origin, why: Sentence | string): void {
  if (canBeMade(origin)) return;
  const { originFormat: format } = origin;
  throw new ImageError("unsupported", say`Cannot keep the way back of ${imageNamed(path)}`, {
    because: say`${kindOf(origin)} can only be read so far, and the old bytes can't be kept beside it: ${why}`,
    remedy: say`copy the file first, and leave ${option("keep-undo")} out`,
    path,
    format,
    operation: "plan",
  });
}

/** What is told before a way of several steps on which nothing of the old layout is kept; nothing where each step leads back. */
export function oneWayNotes(stepCount: number, { hasCopy, ...origin }: Origin & Pick<Journey, "hasCopy">): string[] {
  if (stepCount < 2 || hasCopy || canBeMade(origin)) return [];
  return [
    `Once the first of its ${stepCount} steps is done the way back is closed, since ${kindOf(origin)} can only be read so far: an interrupted run is then finished by resume alone`,
  ];
}

/** `vdi`, or of a format that is written in another kind `vmdk (streamOptimized)`. */
function kindOf({ originFormat, originOptions: { subformat } }: Origin): string {
  return targetOf(originFormat) && subformat ? `${originFormat} (${subformat})` : originFormat;
}
