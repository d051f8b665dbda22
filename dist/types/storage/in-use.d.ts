/**
 * Who else has an image open, as far as Linux tells: the table of file locks, the loop devices, the open files of other
 * processes (DESIGN, safety rule 10). This detects; it does not exclude.
 *
 * QEMU locks single bytes of 100..299 of every image that it opens, even for reading: 100 and up for what it does,
 * 200 and up for what it does not share (seen in /proc/locks; byte 101 is there for writers only).
 */
import type { FileIdentity } from "./file-storage.ts";
import type { OtherUsers } from "./storage.ts";
/** One line of /proc/locks. */
export interface FileLock {
    /** `POSIX`, `FLOCK`, `OFDLCK`, `LEASE` and the like. */
    readonly kind: string;
    readonly access: string;
    /** -1 where the lock belongs to an open file, not to a process. */
    readonly processId: number;
    readonly deviceMajor: number;
    readonly deviceMinor: number;
    readonly inode: bigint;
    readonly firstByte: number;
    /** Inclusive; `Infinity` to the end of file. */
    readonly lastByte: number;
}
/** Where to look; only tests look elsewhere. */
export interface SystemFolders {
    readonly platform: NodeJS.Platform;
    readonly proc: string;
    readonly sys: string;
}
/** Looks at everything that this platform shows of the file; never throws, what can't be looked at is `blind`. */
export declare function findOtherUsers(path: string, identity: FileIdentity, system?: SystemFolders): Promise<OtherUsers>;
/** Reads the lines of /proc/locks; throws kind `io` on one that isn't understood, since it might be ours. */
export declare function parseLocks(text: string): FileLock[];
/**
 * The locks that can be on the file. overlay and btrfs show another device number than stat does, so another number
 * acquits a lock only where it does not look like QEMU's and both devices are real ones (major number not 0).
 */
export declare function locksOn(identity: FileIdentity, locks: readonly FileLock[]): FileLock[];
