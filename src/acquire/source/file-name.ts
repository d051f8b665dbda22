/** Names for what comes from outside: one segment, without anything that a file system, a shell or a terminal obeys. */

import { UsageError } from "../../index.ts";
import { shownUrl } from "./source-url.ts";

/** Beyond it file systems refuse; our own endings (`.part-…`, `.inplace-journal`) need room too. */
const MAX_NAME_BYTES = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd/\\:*?"<>|%]/g;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** The last segment of the URL's path as it is written in lists of checksums: decoded, not cleaned. */
export function lastSegment(url: URL): string {
  const segment = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * What a download is called on disk; a Content-Disposition is never believed.
 *
 * @throws UsageError where the URL ends in no name
 */
export function downloadName(url: URL): string {
  const name = cleanName(lastSegment(url));
  if (name === undefined) {
    throw new UsageError(`Cannot name the download of ${shownUrl(url)}: its path must end in a file name`);
  }
  return name;
}

/** `segment` with what is unsafe replaced by `_`; undefined where nothing would be left of it. */
export function cleanName(segment: string): string | undefined {
  const name = shortened(segment.normalize("NFC").replace(UNSAFE, "_"))
    // A leading `-` is an option to many a tool, `.` hides the file; Windows drops dots and spaces at the end.
    .replace(/^[.\s-]+/, (start) => "_".repeat(start.length))
    .replace(/[.\s]+$/, "");
  if (/^_*$/.test(name)) return undefined;
  return WINDOWS_DEVICE.test(name) ? `_${name}` : name;
}

/** Cut in the middle, so that the extension stays. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join("")) > MAX_NAME_BYTES) characters.splice(characters.length >> 1, 1);
  return characters.join("");
}
