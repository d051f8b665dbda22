/**
 * Marks of formats that another format's header leaves room for, so that one file can be two images.
 *
 * A stranger's file that we take for one format and the next program for another is how a guest reads its host's files
 * (CVE-2015-1851, CVE-2024-40767): such a file is opened only under the name that the user gives it.
 */
import type { Storage } from "../storage/storage.ts";
/** Names of the formats besides the one that was found whose marks the file bears. */
export declare function findRivals(storage: Storage): Promise<string[]>;
