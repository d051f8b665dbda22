/** What a file says that it is besides a format of ours, and what speaks against taking it for one. */

import type { FormatDriver } from "../image/driver.ts";
import type { Mark } from "../image/mark.ts";
import type { Storage } from "../storage/storage.ts";
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
  return text && matchingDrivers(text).some(({ diskOf }) => diskOf) ? text : FileEnds.of(storage, NEAR_SIZE);
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
  return withoutHalves(formatDrivers.filter(isOf), ends);
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
export function rivalsOf({ guestAt, marks }: FormatDriver, ends: FileEnds): readonly string[] {
  if (guestAt === "everywhere") return [];
  // What bears the format's own mark in its first bytes has no guest's there.
  const hasGuestAtStart = guestAt === "start" && !marks.some((mark) => mark.hostOffset === 0 && ends.bears(mark));
  const isBootable = !hasGuestAtStart && ends.bears(BOOT_SECTOR_END);
  // A format whose mark comes later leaves its first bytes to anybody, as one does that begins with its guest's.
  const isStartFree = hasGuestAtStart || marks.every(({ hostOffset }) => hostOffset > 0);
  const found = strangers.flatMap(({ rival, advice, tool, ...mark }) => {
    // Among such bytes only the first speak: by them other programs take the file for that image.
    const isAtStart = isStartFree && mark.hostOffset === 0;
    const isAmongGuests = hasGuestAtStart && mark.hostOffset > 0;
    const other = isAtStart ? (advice === "qemu-img" ? tool : undefined) : isAmongGuests ? undefined : rival;
    return other !== undefined && ends.bears(mark) ? [other] : [];
  });
  return [...(isBootable ? ["a boot sector"] : []), ...found];
}
