/** What a file says that it is besides a format of ours, and what speaks against taking it for one. */

import { ImageError } from "../bytes/image-error.ts";
import type { FormatDriver } from "../image/driver.ts";
import type { Mark } from "../image/mark.ts";
import type { Sidecar, Storage } from "../storage/storage.ts";
import { formatDrivers } from "./drivers.ts";
import { FileEnds } from "./file-ends.ts";
import { type KnownMark, strangers } from "./known-marks.ts";

/** A block, and as much more as a driver's marks need: what lies further is often guest data. */
const NEAR_SIZE = headOf(
  formatDrivers.flatMap(({ marks }) => marks),
  4096,
);
const FAR_SIZE = headOf(strangers, NEAR_SIZE);

const allMarks = [...strangers, ...formatDrivers.flatMap(({ marks }) => marks)];

function headOf(marks: readonly Mark[], least: number): number {
  return Math.max(least, ...marks.map(({ hostOffset, bytes }) => hostOffset + bytes.length));
}

/** Enough of the file, or of the text that speaks for it, to tell a format of ours, and what may speak against it. */
export async function endsOf(storage: Storage): Promise<FileEnds> {
  const sidecar = await storage.sidecar?.();
  const text = sidecar && FileEnds.in(sidecar.bytes);
  const speaks = text && matchingDrivers(text).some(({ diskOf }) => diskOf && !saysItItself(diskOf, sidecar));
  return speaks ? text : FileEnds.of(storage, NEAR_SIZE);
}

/** Whether the file that a text names bears a mark; a text that can't be read speaks for whatever it is beside. */
function saysItItself(diskOf: NonNullable<FormatDriver["diskOf"]>, { bytes, name }: Sidecar): boolean {
  try {
    return diskOf(bytes, name)?.isMarked ?? false;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}

/** The first mark of the table that the file bears. */
export async function findStranger(storage: Storage): Promise<KnownMark | undefined> {
  const ends = await FileEnds.of(storage, FAR_SIZE);
  return strangers.find((mark) => ends.bears(mark));
}

/** The drivers whose marks the file bears, but for marks that only begin as a longer one does, a stranger's or another driver's. */
export function matchingDrivers(ends: FileEnds): readonly FormatDriver[] {
  const isOf = ({ marks }: FormatDriver) =>
    marks.some(
      (mark) =>
        ends.bears(mark) &&
        !allMarks.some(
          (other) =>
            other.hostOffset === mark.hostOffset &&
            other.bytes.length > mark.bytes.length &&
            other.bytes.startsWith(mark.bytes) &&
            ends.bears(other),
        ),
    );
  const found = withoutHalves(formatDrivers.filter(isOf), ends);
  // Nobody looks for an archive in a disk's first bytes.
  const isGuests = found.some((driver) => hasGuestAtStart(driver, ends));
  return isGuests ? found.filter(({ isArchive }) => !isArchive) : found;
}

/** What bears the format's own mark in its first bytes has no guest's there. */
function hasGuestAtStart({ guestAt, marks }: FormatDriver, ends: FileEnds): boolean {
  return guestAt === "start" && !marks.some((mark) => mark.hostOffset === 0 && ends.bears(mark));
}

/** What should begin with its mark as well, and begins with another's own header, is that: as QEMU takes it, and as we leave it before a commit. */
function withoutHalves(found: readonly FormatDriver[], ends: FileEnds): readonly FormatDriver[] {
  const beginsWithOwn = ({ marks, guestAt }: FormatDriver) =>
    guestAt === "nowhere" && marks.some((mark) => mark.hostOffset === 0 && ends.bears(mark));
  const isHalf = ({ marks }: FormatDriver) =>
    marks.every((mark) => !ends.bears(mark) || (mark.twin !== undefined && ends.bears(mark.twin)));
  return found.some(beginsWithOwn) ? found.filter((driver) => !isHalf(driver)) : found;
}

/** A PC's boot sector ends with it, and so does that of a disk that somebody took for an image. */
const BOOT_SECTOR_END = { hostOffset: 510, bytes: "\x55\xaa" };

/**
 * Names of what the file could be taken for as well, though its header is the driver's.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */
export function rivalsOf(driver: FormatDriver, ends: FileEnds): readonly string[] {
  if (driver.guestAt === "everywhere") return [];
  const beginsWithGuest = hasGuestAtStart(driver, ends);
  const isBootable = !beginsWithGuest && ends.bears(BOOT_SECTOR_END);
  // A format whose mark comes later leaves its first bytes to anybody, as one does that begins with its guest's.
  const isStartFree = beginsWithGuest || driver.marks.every(({ hostOffset }) => hostOffset > 0);
  // Among such bytes only the first speak: by them other programs take the file for that image.
  const found = strangers.flatMap(({ advice, tool, ...mark }) => {
    const isImage = isStartFree && mark.hostOffset === 0 && advice === "qemu-img";
    return isImage && tool !== undefined && ends.bears(mark) ? [tool] : [];
  });
  return [...(isBootable ? ["a boot sector"] : []), ...found];
}
