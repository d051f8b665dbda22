/** One open file on disk: whole reads and writes over the short ones of the operating system. */
import type { FileHandle } from "node:fs/promises";
import type { WritableStorage } from "./storage.ts";
/** Device and inode: two open files are the same file where both agree. */
export interface FileIdentity {
    readonly device: bigint;
    readonly inode: bigint;
}
export declare class FileStorage implements WritableStorage {
    #private;
    readonly path: string;
    constructor(path: string, handle: FileHandle);
    /** The process-wide descriptor; -1 once closed, so that a late reader fails instead of reading another file. */
    get descriptor(): number;
    size(): Promise<number>;
    read(hostOffset: number, into: Uint8Array): Promise<number>;
    write(hostOffset: number, bytes: Uint8Array): Promise<void>;
    resize(size: number): Promise<void>;
    /**
     * A sync after a failed one would succeed without the lost bytes (the kernel tells of a failure once), so each
     * later sync throws the first one's error again.
     */
    sync(): Promise<void>;
    fingerprint(): Promise<string>;
    identity(): Promise<FileIdentity>;
    close(): Promise<void>;
}
