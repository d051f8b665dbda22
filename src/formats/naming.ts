/** By what names disk images go, and by what marks, those of formats without a driver too. */

import type { Mark } from "../image/mark.ts";
import { formatDrivers } from "./drivers.ts";
import { strangers } from "./known-marks.ts";

/** What files of a format are called, with the dot; the first is what a converted image gets. */
export function extensionsOf(format: string): readonly string[] {
  const driver = formatDrivers.find(({ name, aliases }) => name === format || aliases.includes(format));
  return driver?.extensions ?? [];
}

/** False of a format that is a disk in one piece, such as raw, where a size of clusters says nothing. */
export function hasClusters(format: string): boolean {
  const driver = formatDrivers.find(({ name, aliases }) => name === format || aliases.includes(format));
  return driver?.onePiece === undefined;
}

/** The format that `word` names, in whatever case; undefined where it names none. */
export function formatNamed(word: string): string | undefined {
  const name = word.toLowerCase();
  return formatDrivers.find((driver) => driver.name === name || driver.aliases.includes(name))?.name;
}

/** The format that a file's extension promises, in whatever case; undefined where it promises none. */
export function formatPromised(path: string): string | undefined {
  const name = path.toLowerCase();
  return formatDrivers.find(({ extensions }) => extensions.some((extension) => name.endsWith(extension)))?.name;
}

/** The name of an image once it has another format: `disk.qed` becomes `disk.qcow2`; a name without an image's extension stays. */
export function nameFor(path: string, format: string): string {
  const found = imageExtensions().find((extension) => path.toLowerCase().endsWith(extension));
  const [wanted] = extensionsOf(format);
  // On many file systems `disk.QCOW2` and `disk.qcow2` are one name.
  return found === undefined || wanted === undefined || found === wanted ? path : path.slice(0, -found.length) + wanted;
}

/** Every extension that says what an image is, with the dot. */
export function imageExtensions(): readonly string[] {
  return formatDrivers.flatMap(({ extensions }) => extensions);
}

/** The marks by which disk images are told, of formats without a driver too; an archive of one is told by its name alone. */
export function imageMarks(): readonly Mark[] {
  const drivers = formatDrivers.filter(({ isArchive }) => !isArchive);
  return [...drivers.flatMap(({ marks }) => marks), ...strangers.filter(({ advice }) => advice === "qemu-img")];
}
