/** Why an image can't be opened, told whole: a driver knows what is wrong, here it is said where, and what to do. */

import { hex, ImageError, type ImageErrorKind } from "../bytes/image-error.ts";
import { option, say, type Words } from "../bytes/sentence.ts";
import type { KnownMark } from "./known-marks.ts";
import { adviceOn } from "./mark-advice.ts";

/** What to do about an image that can't be opened, where its driver knows nothing better. */
const REMEDIES: Partial<Record<ImageErrorKind, Words>> = {
  // Where a header breaks a rule neither our check nor, most often, QEMU's opens it.
  corrupt: "copy it with qemu-img convert where that still opens it, or restore it from a backup",
  "out-of-bounds": "the file was cut short: restore it from a backup",
  unsupported: "convert a copy of it with qemu-img convert",
  "not-this-format": say`look at its format with qemu-img info, and name it with ${option("format")}`,
};

/**
 * A driver's error with all that a refusal must name: the image, the place, and what to do. A file that says what it is,
 * by a mark of a format that no driver of ours opens, needs no guess of ours; `findMark` is asked where the driver knows
 * nothing better.
 */
export async function refusalOf(
  error: unknown,
  path: string,
  findMark: () => Promise<KnownMark | undefined>,
): Promise<unknown> {
  if (!(error instanceof ImageError)) return error;
  // Of an image in several files the one that is wrong.
  const file = error.path ?? path;
  const { kind, what, words, remedies, hostOffset, sentence } = error;
  const missing = [
    ...(hostOffset === undefined || sentence.namesPlace(hostOffset) ? [] : [`at host offset ${hex(hostOffset)}`]),
    ...(sentence.namesImage(file) ? [] : [`in ${file}`]),
  ];
  const where = missing.length === 0 ? "" : ` (${missing.join(" ")})`;
  const last = remedies.at(-1);
  const remedy =
    last === undefined ? remedyOf(kind, await findMark()) : [...remedies.slice(0, -1), say`${last}${where}`];
  if (where === "" && (last !== undefined || remedy === undefined)) return error;
  const because = words.because === undefined || last !== undefined ? words.because : say`${words.because}${where}`;
  const all = words.because === undefined && last === undefined ? say`${what}${where}` : what;
  return new ImageError(kind, all, { ...error.facts, ...words, because, remedy, path: file, cause: error });
}

function remedyOf(kind: ImageErrorKind, mark: KnownMark | undefined): Words | undefined {
  return mark === undefined ? REMEDIES[kind] : `it is ${mark.name}: ${adviceOn(mark)}`;
}
