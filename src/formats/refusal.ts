/** Why an image can't be opened, told whole: a driver knows what is wrong, here it is said where, and what to do. */

import { hex, ImageError, type ImageErrorKind } from "../bytes/image-error.ts";
import type { KnownMark } from "./known-marks.ts";
import { adviceOn } from "./mark-advice.ts";

/** What to do about an image that can't be opened, where its driver knows nothing better. */
const REMEDIES: Partial<Record<ImageErrorKind, string>> = {
  // Where a header breaks a rule neither our check nor, most often, QEMU's opens it.
  corrupt: "copy it with qemu-img convert where that still opens it, or restore it from a backup",
  "out-of-bounds": "the file was cut short: restore it from a backup",
  unsupported: "convert a copy of it with qemu-img convert",
  "not-this-format": "look at its format with qemu-img info, and name it with -f",
};

/**
 * A driver's error with all that a refusal must name: the image, the place, and what to do. A file that says what it is,
 * by a `mark` of a format that no driver of ours opens, needs no guess of ours.
 */
export function refusalOf(error: unknown, path: string, mark: KnownMark | undefined): unknown {
  if (!(error instanceof ImageError)) return error;
  const { message, hostOffset, kind } = error;
  const place =
    hostOffset === undefined || message.includes(hex(hostOffset)) ? "" : ` at host offset ${hex(hostOffset)}`;
  const image = message.includes(path) ? "" : ` in ${path}`;
  const where = place + image === "" ? "" : ` (${`${place}${image}`.trim()})`;
  const remedy = message.includes("; ") ? undefined : remedyOf(kind, mark);
  const whole = `${message}${where}${remedy === undefined ? "" : `; ${remedy}`}`;
  return whole === message ? error : new ImageError(kind, whole, { ...error, path, cause: error });
}

function remedyOf(kind: ImageErrorKind, mark: KnownMark | undefined): string | undefined {
  return mark === undefined ? REMEDIES[kind] : `it is ${mark.name}: ${adviceOn(mark)}`;
}
