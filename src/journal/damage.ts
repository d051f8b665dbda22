/** A journal that can't be used: what is wrong with it, and what may be done, since nobody else will remove it. */

import { ImageError, type ImageErrorDetails } from "../bytes/image-error.ts";
import { imageNamed, say } from "../bytes/sentence.ts";

/**
 * `path` is the file that is damaged, `beside` the name beside the image where that is another. The image is whole in
 * each state, so that doing without the journal costs the way back, and the way on, but no guest byte.
 */
export function damagedJournal(
  path: string,
  what: string,
  beside: string = path,
  details: ImageErrorDetails = {},
): ImageError {
  const files = beside === path ? "it" : `it and ${beside}`;
  return new ImageError("corrupt", say`Cannot use the journal ${imageNamed(path)}`, {
    because: what,
    remedy: `nothing was touched: put it back from a copy, or, to leave the image as it is, with no way on and no way back, remove ${files} by hand (info says which format the image has now, check that it is whole)`,
    path,
    structure: "journal",
    ...details,
    journal: beside,
  });
}

/** Not `damagedJournal`: what lies there may be another image's, and is not to be removed. */
export function notPointedAt(beside: string, path: string): ImageError {
  return new ImageError("corrupt", say`Cannot use ${imageNamed(path)}`, {
    because: "it is not the journal that was made for this image",
    remedy: `put that one back, or, to leave the image as it is, with no way on and no way back, remove ${beside} by hand`,
    path,
    structure: "journal",
    journal: beside,
  });
}

/** Of a journal without a whole first record. */
export function whatIsLeft(file: Uint8Array): string {
  if (file.length === 0) return "it is empty, though it was written once";
  return `it is damaged: its ${file.length} bytes hold no whole first record`;
}
