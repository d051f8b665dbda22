/** A volume that counts what passes through it: bytes written and syncs, of all files together. */
import type { FileFacts, OtherUsers, Storage, Volume, WritableStorage } from "./storage.ts";
/** Totals so far. `syncs` counts files and folders. */
export interface Meter {
    bytesWritten: number;
    syncs: number;
}
export declare class MeteredVolume implements Volume {
    #private;
    readonly meter: Meter;
    constructor(volume: Volume);
    openForReading(path: string): Promise<Storage>;
    openForWriting(path: string): Promise<WritableStorage>;
    createExclusively(path: string): Promise<WritableStorage | undefined>;
    facts(path: string): Promise<FileFacts | undefined>;
    realPath(path: string): Promise<string>;
    rename(from: string, to: string): Promise<void>;
    remove(path: string): Promise<void>;
    syncFolderOf(path: string): Promise<void>;
    freeSpace(path: string): Promise<number>;
    otherUsers(storage: Storage, locksAlone?: boolean): Promise<OtherUsers>;
    isSameFile(path: string, storage: Storage): Promise<boolean>;
}
