/** Sizes as people write and read them: qemu-img's suffixes, powers of 1024. */

import { UsageError } from "./image-error.ts";

const SUFFIXES = "bkmgtpe";

/**
 * `65536`, `64k`, `1.5G`, `0x10000`: a size in bytes.
 *
 * @param what names the size in the error, e.g. `--max-extra-space`
 * @throws UsageError for anything else, for a fraction of a byte and for more than 2^53 - 1
 */
export function parseSize(text: string, what: string): number {
  const size = /^0x[0-9a-f]+$/i.test(text) ? Number(text) : scaled(text);
  if (!Number.isSafeInteger(size)) {
    throw new UsageError(`Cannot use "${text}" for ${what}: give bytes, or a number with k, M, G or T, e.g. 64k`);
  }
  return size;
}

function scaled(text: string): number {
  const [, number, suffix = "b"] = /^(\d+(?:\.\d+)?)([bkmgtpe])?$/i.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * 1024 ** SUFFIXES.indexOf(suffix.toLowerCase());
}

/** `1.5 MiB`, `0 bytes`: three significant digits, for people. */
export function formatSize(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  // 999.5 and more would print as 1e+3.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${bytes === 1 ? "byte" : units[unit]}`;
}

/** A share of a file's length that is worth telling apart from the whole. */
const WORTH_TELLING = 7 / 8;

/** `8 GiB`, and of a file with holes also what it takes on the disk: `8 GiB, 1.49 MiB on the disk`. */
export function fileText(fileSize: number, actualSize: number | undefined): string {
  const hasHoles = actualSize !== undefined && actualSize < fileSize * WORTH_TELLING;
  return `${formatSize(fileSize)}${hasHoles ? `, ${formatSize(actualSize)} on the disk` : ""}`;
}
