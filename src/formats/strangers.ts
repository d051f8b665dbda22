/** What a file says that it is besides a format of ours, and what speaks against taking it for one. */

import type { FormatDriver, Mark } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
import { formatDrivers } from "./drivers.ts";
import { FileEnds } from "./file-ends.ts";
import { type KnownMark, knownMarks } from "./known-marks.ts";

/** A format that has a driver is no stranger, whatever the table says of it. */
const strangers: readonly KnownMark[] = knownMarks.filter(
  ({ advice, tool }) => advice !== "qemu-img" || !formatDrivers.some(({ name }) => name === tool),
);

/** What files of formats without a driver are called, with the dot, by qemu-img's name of each. */
const strangeExtensions = new Map(
  Object.entries({
    qcow: [".qcow"],
    vpc: [".vhd", ".vpc"],
    vhdx: [".vhdx"],
    vmdk: [".vmdk"],
    vdi: [".vdi"],
    parallels: [".parallels", ".hdd", ".hds"],
  }).filter(([format]) => !formatDrivers.some(({ name }) => name === format)),
);

/** What files of a format are called, with the dot; the first is what a converted image gets. */
export function extensionsOf(format: string): readonly string[] {
  const driver = formatDrivers.find(({ name, aliases }) => name === format || aliases.includes(format));
  return driver?.extensions ?? strangeExtensions.get(format) ?? [];
}

/** Every extension that says what an image is, with the dot. */
export function imageExtensions(): readonly string[] {
  return [...formatDrivers.flatMap(({ extensions }) => extensions), ...[...strangeExtensions.values()].flat()];
}

/** The marks by which disk images are told, of formats without a driver too. */
export function imageMarks(): readonly Mark[] {
  return [...formatDrivers.flatMap(({ marks }) => marks), ...strangers.filter(({ advice }) => advice === "qemu-img")];
}

/** The first mark of the table that the file bears. */
export async function findStranger(storage: Storage): Promise<KnownMark | undefined> {
  const ends = await FileEnds.further(storage);
  return strangers.find((mark) => ends.bears(mark));
}

/** The drivers whose marks the file bears, but for marks that only begin as a stranger's longer one does. */
export function matchingDrivers(ends: FileEnds): readonly FormatDriver[] {
  const isOf = ({ marks }: FormatDriver) =>
    marks.some(
      (mark) =>
        ends.bears(mark) &&
        !strangers.some(
          (other) =>
            other.hostOffset === mark.hostOffset &&
            other.bytes.length > mark.bytes.length &&
            other.bytes.startsWith(mark.bytes) &&
            ends.bears(other),
        ),
    );
  return formatDrivers.filter(isOf);
}

/** A PC's boot sector ends with it, and so does that of a disk that somebody took for an image. */
const BOOT_SECTOR_END = { hostOffset: 510, bytes: "\x55\xaa" };

/**
 * Names of what the file could be taken for as well, though its header is the driver's.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */
export function rivalsOf({ guestAt }: FormatDriver, ends: FileEnds): readonly string[] {
  if (guestAt === "everywhere") return [];
  const hasGuestAtStart = guestAt === "start";
  const isBootable = !hasGuestAtStart && ends.bears(BOOT_SECTOR_END);
  const found = strangers.flatMap(({ rival, ...mark }) => {
    if (rival === undefined || (hasGuestAtStart && mark.hostOffset >= 0)) return [];
    return ends.bears(mark) ? [rival] : [];
  });
  return [...(isBootable ? ["a boot sector"] : []), ...found];
}
