/**
 * Marks of formats that another format's header leaves room for, so that one file can be two images.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */

import type { Storage } from "../storage/storage.ts";
import { findRivalMarks } from "./known-marks.ts";

const BOOT_SECTOR_END = 510;

/** Names of the formats besides the one that was found whose marks the file bears. */
export async function findRivals(storage: Storage): Promise<string[]> {
  const end = new Uint8Array(2);
  const isBootable = (await storage.read(BOOT_SECTOR_END, end)) === 2 && end[0] === 0x55 && end[1] === 0xaa;
  return [...(isBootable ? ["a boot sector"] : []), ...(await findRivalMarks(storage))];
}
