/**
 * Who else has the image open for writing without a lock, as Linux tells by /proc/PID/fd and fdinfo (proc(5)).
 *
 * Cheapest look first, since a machine has thousands of open files: the name of the link, then flags and inode number
 * from fdinfo, and only for what is left a stat, which could wait for a file system that does not answer.
 */
import type { FileIdentity } from "./file-storage.ts";
/**
 * One phrase for each other process that has the file open for writing. Processes of other users show nothing unless
 * we are root, and neither do those outside our PID namespace. Synchronous: a thousand calls by way of the thread pool
 * would cost ten times as much as the calls themselves.
 */
export declare function findWriters(path: string, identity: FileIdentity, proc: string): string[];
