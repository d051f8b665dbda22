/** The doors to the host: one open file (`Storage`), and the folder it lies in (`Volume`). */
import { ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import type { SharedFile } from "./shared-file.ts";
/** Random access to one open file. All addresses and lengths are bytes of the host's file. */
export interface Storage {
    /** As the user named it; for messages only. */
    readonly path: string;
    /** The process-wide descriptor, where there is one, so that worker threads read the same file. */
    readonly descriptor?: number;
    /** The same where the file is not the descriptor's own bytes alone. */
    readonly shared?: SharedFile | undefined;
    size(): Promise<number>;
    /**
     * Fills `into` from `hostOffset` and returns how many bytes were there; fewer than `into.length` only at the end
     * of file. A short read in the middle is retried inside; an error is an ImageError of kind `io`.
     */
    read(hostOffset: number, into: Uint8Array): Promise<number>;
    /** The same, but blocking: for reads that most likely come from memory. Absent where there is none. */
    readAtOnce?(hostOffset: number, into: Uint8Array): number;
    /**
     * What holds data as the host tells it now, within the file's size: all else reads as zeros, and need not be read.
     * Undefined, or absent, where it can't be told.
     */
    dataRanges?(): Promise<RangeSet | undefined>;
    /**
     * The text under a name beside it that says what the file is (a flat VMDK's descriptor), as it is now; undefined where it is
     * gone, or not there yet. Absent where nobody has said that one belongs to the file.
     */
    sidecar?(): Promise<Sidecar | undefined>;
    /** Of several files as one: all of them, and which holds the byte at an address. Absent where it is one file. */
    readonly joined?: JoinedFiles;
    close(): Promise<void>;
}
/** Files that have an address space in common; the bytes of two never lie side by side in it. */
export interface JoinedFiles {
    readonly files: readonly Storage[];
    placeOf(hostOffset: number): {
        readonly file: Storage;
        readonly hostOffset: number;
    };
}
/** A small file in the same folder as the one that it speaks of. */
export interface Sidecar {
    /** Plain: no folder. */
    readonly name: string;
    readonly bytes: Uint8Array;
}
/** Bytes that are to lie at a second place of the same file; the two do not overlap. */
export interface FileCopy {
    readonly fromHostOffset: number;
    readonly toHostOffset: number;
    readonly length: number;
}
/** A file opened for writing. Nothing is durable before `sync` returns. */
export interface WritableStorage extends Storage {
    /** Writes all of `bytes`; ENOSPC, EDQUOT and EFBIG become kind `no-space`, everything else `io`. */
    write(hostOffset: number, bytes: Uint8Array): Promise<void>;
    /**
     * As reads and writes would make them, in any order, but quicker than from outside: no copy reads what another writes.
     * What lies past the file's end is copied as zeros. Absent where nothing is gained. Answers the places where zeros would come, long
     * runs of them, and that were not written: they may hold something else still, and lie past the file's end.
     */
    copy?(copies: readonly FileCopy[]): Promise<RangeSet>;
    /** Sets the file's length; what it gains reads as zeros. */
    resize(size: number): Promise<void>;
    /**
     * Gives the space of the ranges back, so that they read as zeros; the size stays, and what lies past it is passed over.
     * Answers what could not be given back, which may read as before or as zeros. Durable with the next sync, each sector by
     * itself. Absent where nothing can be given back.
     */
    punch?(ranges: RangeSet): Promise<RangeSet>;
    /** fsync: data, size and what is needed to read them. A failed sync is never retried. */
    sync(): Promise<void>;
    /** fdatasync: the same without times, for epochs of writes alone. Absent where it is no quicker than `sync`. */
    syncData?(): Promise<void>;
    /**
     * Begins to bring to the medium what is written, and returns at once: no barrier, for a sync soon to come that then has less
     * to wait for, and tells what failed. Absent where it would gain nothing.
     */
    flush?(): void;
    /**
     * The modification time and size as the host tells them, to notice another writer; compare with `===`.
     * Our own writes and resizes change it too, reads and syncs do not but where `hasLateFingerprint` says so.
     */
    fingerprint(): Promise<string>;
    /** True where the host may change the fingerprint by itself until a sync has returned: times of a server, lazy ones. */
    readonly hasLateFingerprint?: boolean;
}
export interface FileFacts {
    readonly kind: "file" | "folder" | "symlink" | "other";
    readonly size: number;
    /** Hard links to the file; 1 where the platform does not tell. */
    readonly linkCount: number;
    /** Bytes that the file takes on the disk, holes left out; absent where the platform does not tell. */
    readonly allocatedSize?: number;
}
/** Who else has the image open, as far as this platform can look. */
export interface OtherUsers {
    /** One phrase for each user found, e.g. `QEMU holds a lock on it (/proc/locks)`. */
    readonly found: readonly string[];
    /** Those of `found` that hold QEMU's lock for writing, before which `qemu-img check` stops; none where absent. */
    readonly writers?: readonly string[];
    /** One phrase for each place that could not be looked at, for the output. */
    readonly blind: readonly string[];
}
/**
 * What a look for other users is made of. `anew` sees locks and the open files of all processes as they are now. With `since`
 * those open files may have been looked at for another image, as long as that look began then or later, by
 * `performance.now()`: never before what can't be taken back (docs/decisions/which-look-is-shared.md). `locks` is locks alone,
 * which is quick: for those who only read.
 */
export type Look = "anew" | "locks" | {
    readonly since: number;
};
/** The file system as far as a conversion needs it: open, exclusive creation, names and their durability. */
export interface Volume {
    /** What this host could not do so far, one phrase each, for the output; none where absent. */
    readonly notes?: readonly string[];
    openForReading(path: string): Promise<Storage>;
    /** Opens an existing regular file, never through a symlink, never one with further hard links. */
    openForWriting(path: string): Promise<WritableStorage>;
    /** Everything for which `openForWriting` would throw, as far as it can be told without opening anything. */
    obstaclesToWriting(path: string): Promise<readonly ImageError[]>;
    /** Makes a new file; `undefined` where the name is taken. As readable by others as the file at `like` is, if that is given. */
    createExclusively(path: string, like?: string): Promise<WritableStorage | undefined>;
    /** Why a file can't be made at `path`, were the name free, as far as that can be told without making one. */
    obstacleToCreating(path: string): Promise<ImageError | undefined>;
    /**
     * Makes `to`, a new name, a copy of the open file that shares its space, with its owner and permissions. Durable once it
     * and its folder are synced. Undefined, with nothing left, where the host can't make one for nothing; absent where it never can.
     */
    clone?(storage: Storage, to: string): Promise<WritableStorage | undefined>;
    facts(path: string): Promise<FileFacts | undefined>;
    /** The absolute path without symlinks and `..`. Throws kind `io` where there is no such file. */
    realPath(path: string): Promise<string>;
    /** The absolute path, without symlinks and `..`, of the folder that `path` lies in or would. Throws `io` where there is none. */
    realFolderOf(path: string): Promise<string>;
    /** Replaces `to` atomically. Throws kind `io` with cause ENOENT where `from` is gone. */
    rename(from: string, to: string): Promise<void>;
    /**
     * Gives the file at `from` the name `to` too, or, where a file can't have two, in place of its own; false where it is
     * taken, and never replaces what bears it.
     */
    link(from: string, to: string): Promise<boolean>;
    /** The plain names in the folder that `path` lies in or would. */
    namesBeside(path: string): Promise<readonly string[]>;
    /** Removes a name; no error where it is gone already. */
    remove(path: string): Promise<void>;
    /** Makes creations, renames and removals in the folder of `path` durable. */
    syncFolderOf(path: string): Promise<void>;
    /** Bytes an unprivileged writer can still allocate beside `path`; `Infinity` where unknown. */
    freeSpace(path: string): Promise<number>;
    /** Looks anew where nothing else is said. */
    otherUsers(storage: Storage, look?: Look): Promise<OtherUsers>;
    /** True where `path` still names the very file that is open as `storage`. */
    isSameFile(path: string, storage: Storage): Promise<boolean>;
}
/** What an error of either sync has as its `operation`. */
export declare const SYNC: {
    readonly file: "sync";
    readonly folder: "sync the folder";
};
/** Reads exactly `length` bytes or throws `out-of-bounds`. `structure` names what was wanted. */
export declare function readExactly(storage: Storage, hostOffset: number, length: number, structure: string): Promise<Uint8Array>;
/** What `read` answers; undefined where the medium can't be read. */
export declare function ifReadable<T>(read: Promise<T>): Promise<T | undefined>;
/** Reads `length` bytes; whatever lies past the end of file reads as zeros. */
export declare function readZeroFilled(storage: Storage, hostOffset: number, length: number): Promise<Uint8Array>;
/** Device and inode: two open files are the same file where both agree. */
export interface FileIdentity {
    readonly device: bigint;
    readonly inode: bigint;
}
