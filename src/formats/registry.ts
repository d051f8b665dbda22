/** The formats we know, and how an image's is found: exactly one match of its first bytes, raw only by name. */

import { ImageError, UsageError } from "../bytes/image-error.ts";
import { imageNamed, option, say } from "../bytes/sentence.ts";
import type { FormatDriver, Image } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
import { findMark } from "./known-marks.ts";
import { adviceOn } from "./mark-advice.ts";
import { qcow2Driver } from "./qcow2/driver.ts";
import { qedDriver } from "./qed/driver.ts";
import { rawDriver } from "./raw/driver.ts";
import { refusalOf } from "./refusal.ts";
import { findRivals } from "./rival-magics.ts";

/** In the order of messages; raw, which matches everything, is last. */
export const formatDrivers: readonly FormatDriver[] = [qcow2Driver, qedDriver, rawDriver];

/** Names that people use for qemu-img's. */
const ALIASES: ReadonlyMap<string, string> = new Map([["vhd", "vpc"]]);

/** What a driver's probe is shown. */
const HEAD_SIZE = 4096;

/** The driver by qemu-img's name, `vhd` being taken for `vpc`; throws UsageError for a format that we don't know. */
export function driverOf(format: string): FormatDriver {
  const name = ALIASES.get(format) ?? format;
  const driver = formatDrivers.find((candidate) => candidate.name === name);
  if (driver !== undefined) return driver;
  const known = formatDrivers.map((candidate) => candidate.name).join(", ");
  throw new UsageError(`Cannot use the format ${format === "" ? '""' : format}: the formats are ${known}`);
}

/** The one driver whose magic the image bears; throws ImageError `not-this-format` for none, `unsupported` for more. */
export async function probeFormat(storage: Storage): Promise<FormatDriver> {
  const matches = await matchingDrivers(storage);
  const [first] = matches;
  const details = { path: storage.path, hostOffset: 0, operation: "probe" };
  if (first === undefined) {
    const mark = await findMark(storage);
    if (mark !== undefined) {
      throw new ImageError("unsupported", say`Cannot open ${imageNamed(storage.path)}`, {
        ...details,
        because: `it is ${mark.name}`,
        remedy: adviceOn(mark),
      });
    }
    if ((await storage.size()) === 0) {
      throw new ImageError("not-this-format", say`Cannot open ${imageNamed(storage.path)}`, {
        ...details,
        because: "it is empty, a file of 0 bytes",
        remedy: "look at what should have filled it",
      });
    }
    throw new ImageError("not-this-format", say`Cannot tell the format of ${imageNamed(storage.path)}`, {
      ...details,
      because: "no known magic",
      remedy: say`if it is raw, say so with ${option("format", "raw")}`,
    });
  }
  const rivals = await findRivals(storage);
  if (matches.length + rivals.length > 1) {
    const names = [...matches.map(({ name }) => name), ...rivals].join(" and ");
    throw new ImageError("unsupported", say`Cannot tell the format of ${imageNamed(storage.path)}`, {
      ...details,
      because: `it looks like ${names}`,
      remedy: say`name it with ${option("format")}`,
    });
  }
  return first;
}

/** What a file says that it is: a driver's name, or that of a format which none of them opens; undefined where it says nothing. */
export async function formatToldBy(storage: Storage): Promise<string | undefined> {
  const [driver] = await matchingDrivers(storage);
  return driver?.name ?? (await findMark(storage))?.name;
}

/** Drivers whose format the first bytes are of. */
async function matchingDrivers(storage: Storage): Promise<FormatDriver[]> {
  const head = new Uint8Array(HEAD_SIZE);
  const count = await storage.read(0, head);
  return formatDrivers.filter((driver) => driver.probe(head.subarray(0, count)));
}

/** How an image is opened that the user named. */
export interface OpenAs {
  /** Take bytes for raw that bear another format's mark (`--allow-marked-raw`). Default false. */
  readonly allowMarkedRaw?: boolean | undefined;
}

/** Opens an image as `format`, or as what its first bytes say; throws ImageError, or UsageError for an unknown name. */
export async function openImage(storage: Storage, format?: string, options: OpenAs = {}): Promise<Image> {
  const driver = format === undefined ? await probeFormat(storage) : driverOf(format);
  if (driver === rawDriver && !options.allowMarkedRaw) await refuseMarkedRaw(storage);
  try {
    return await driver.open(storage);
  } catch (error) {
    // A guest's own bytes at the end of a file prove nothing where the header is a format's of ours.
    const isOurs = (await matchingDrivers(storage)).length > 0;
    throw refusalOf(error, storage.path, isOurs ? undefined : await findMark(storage));
  }
}

/** A container taken for a disk gives a digest of the container: only whoever says so twice has meant it. */
async function refuseMarkedRaw(storage: Storage): Promise<void> {
  const { path } = storage;
  const [driver] = await matchingDrivers(storage);
  const mark = driver === undefined ? await findMark(storage) : undefined;
  if (driver === undefined && mark === undefined) return;
  const name = mark?.name ?? `a ${driver?.name} image`;
  const advice = mark === undefined ? say`name it with ${option("format", driver?.name)}` : adviceOn(mark);
  throw new ImageError("unsupported", say`Cannot take ${imageNamed(path)} for raw`, {
    because: `it is ${name}`,
    remedy: [advice, say`take its own bytes for the disk with ${option("allow-marked-raw")}`],
    path,
    format: "raw",
    hostOffset: 0,
    operation: "probe",
  });
}
