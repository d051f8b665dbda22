/** The formats we know, and how an image's is found: exactly one match of its first bytes, raw only by name. */

import { hex, ImageError, type ImageErrorKind, UsageError } from "../bytes/image-error.ts";
import type { FormatDriver, Image } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
import { qcow2Driver } from "./qcow2/driver.ts";
import { qedDriver } from "./qed/driver.ts";
import { rawDriver } from "./raw/driver.ts";
import { findRivals } from "./rival-magics.ts";

/** In the order of messages; raw, which matches everything, is last. */
export const formatDrivers: readonly FormatDriver[] = [qcow2Driver, qedDriver, rawDriver];

/** Names that people use for qemu-img's. */
const ALIASES: ReadonlyMap<string, string> = new Map([["vhd", "vpc"]]);

/** What probing reads; every magic that we know lies in it. */
const HEAD_SIZE = 4096;

/** The driver by qemu-img's name, `vhd` being taken for `vpc`; throws UsageError for a format that we don't know. */
export function driverOf(format: string): FormatDriver {
  const name = ALIASES.get(format) ?? format;
  const driver = formatDrivers.find((candidate) => candidate.name === name);
  if (driver !== undefined) return driver;
  const known = formatDrivers.map((candidate) => candidate.name).join(", ");
  throw new UsageError(`Cannot use the format ${format}: the formats are ${known}`);
}

/** The one driver whose magic the image bears; throws ImageError `not-this-format` for none, `unsupported` for more. */
export async function probeFormat(storage: Storage): Promise<FormatDriver> {
  const head = new Uint8Array(HEAD_SIZE);
  const count = await storage.read(0, head);
  const matches = formatDrivers.filter((driver) => driver.probe(head.subarray(0, count)));
  const [first] = matches;
  const details = { path: storage.path, hostOffset: 0, operation: "probe" };
  if (first === undefined) {
    const message = `Cannot tell the format of ${storage.path}: no known magic; if it is raw, say so with -f raw`;
    throw new ImageError("not-this-format", message, details);
  }
  const rivals = await findRivals(storage);
  if (matches.length + rivals.length > 1) {
    const names = [...matches.map(({ name }) => name), ...rivals].join(" and ");
    const message = `Cannot tell the format of ${storage.path}: it looks like ${names}; name it with -f`;
    throw new ImageError("unsupported", message, details);
  }
  return first;
}

/** Opens an image as `format`, or as what its first bytes say; throws ImageError, or UsageError for an unknown name. */
export async function openImage(storage: Storage, format?: string): Promise<Image> {
  const driver = format === undefined ? await probeFormat(storage) : driverOf(format);
  try {
    return await driver.open(storage);
  } catch (error) {
    throw refusalOf(error, storage.path);
  }
}

/** What to do about an image that can't be opened, where its driver knows nothing better. */
const REMEDIES: Partial<Record<ImageErrorKind, string>> = {
  corrupt: "repair a copy of it with qemu-img check -r all, or restore it from a backup",
  "out-of-bounds": "the file was cut short: restore it from a backup",
  unsupported: "convert a copy of it with qemu-img convert",
  "not-this-format": "look at its format with qemu-img info, and name it with -f",
};

/** A driver's error with all that a refusal must name: the image, the place, and what to do. */
function refusalOf(error: unknown, path: string): unknown {
  if (!(error instanceof ImageError)) return error;
  const { message, hostOffset, kind } = error;
  const place =
    hostOffset === undefined || message.includes(hex(hostOffset)) ? "" : ` at host offset ${hex(hostOffset)}`;
  const image = message.includes(path) ? "" : ` in ${path}`;
  const where = place + image === "" ? "" : ` (${`${place}${image}`.trim()})`;
  const remedy = message.includes("; ") ? undefined : REMEDIES[kind];
  const whole = `${message}${where}${remedy === undefined ? "" : `; ${remedy}`}`;
  return whole === message ? error : new ImageError(kind, whole, { ...error, path, cause: error });
}
