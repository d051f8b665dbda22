/** What a file says that it is besides a format of ours, and what speaks against taking it for one. */
import type { FormatDriver, Mark } from "../image/driver.ts";
import type { Storage } from "../storage/storage.ts";
import { FileEnds } from "./file-ends.ts";
import { type KnownMark } from "./known-marks.ts";
/** What files of a format are called, with the dot; the first is what a converted image gets. */
export declare function extensionsOf(format: string): readonly string[];
/** Every extension that says what an image is, with the dot. */
export declare function imageExtensions(): readonly string[];
/** The marks by which disk images are told, of formats without a driver too. */
export declare function imageMarks(): readonly Mark[];
/** The first mark of the table that the file bears. */
export declare function findStranger(storage: Storage): Promise<KnownMark | undefined>;
/** The drivers whose marks the file bears, but for marks that only begin as a stranger's longer one does. */
export declare function matchingDrivers(ends: FileEnds): readonly FormatDriver[];
/**
 * Names of what the file could be taken for as well, though its header is the driver's.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */
export declare function rivalsOf({ guestAt }: FormatDriver, ends: FileEnds): readonly string[];
