/** The folder on disk: opens images so that no link is followed to a write, and makes names durable. */
import type { FileFacts, OtherUsers, Storage, Volume, WritableStorage } from "./storage.ts";
export declare class FileVolume implements Volume {
    #private;
    /** What this platform could not do, one phrase each, for the output. */
    readonly notes: string[];
    openForReading(path: string): Promise<Storage>;
    openForWriting(path: string): Promise<WritableStorage>;
    createExclusively(path: string): Promise<WritableStorage | undefined>;
    facts(path: string): Promise<FileFacts | undefined>;
    realPath(path: string): Promise<string>;
    rename(from: string, to: string): Promise<void>;
    remove(path: string): Promise<void>;
    syncFolderOf(path: string): Promise<void>;
    freeSpace(path: string): Promise<number>;
    otherUsers(storage: WritableStorage): Promise<OtherUsers>;
    isSameFile(path: string, storage: Storage): Promise<boolean>;
}
