/** The only place that writes to an image: performs one epoch's values and makes them durable. */
import { RangeSet } from "../bytes/range-set.ts";
import type { GuestReader } from "../image/guest-reader.ts";
import type { Epoch } from "../image/write.ts";
import type { WritableStorage } from "../storage/storage.ts";
/** What an epoch wrote. */
export interface Written {
    readonly ranges: RangeSet;
    /** SHA-256 over the written bytes in file order, hex. */
    readonly digest: string;
}
export interface ExecuteOptions {
    /** Reads the guest through the source; needed where an epoch has guest copies. */
    readonly reader?: GuestReader;
    readonly onBytes?: (done: number) => void;
    /** Called between writes; throws to stop. */
    readonly safePoint?: () => void;
}
/**
 * Performs `epoch` and syncs. A failed sync or write throws and leaves the rest undone; nothing is retried.
 * Small neighbouring writes are gathered, so that tables reach the file in large pieces.
 */
export declare function executeEpoch(storage: WritableStorage, epoch: Epoch, options?: ExecuteOptions): Promise<void>;
/** Passes writes through to `storage` and remembers where they went and what they were, from `floor` on. */
export declare class WriteRecorder {
    #private;
    readonly storage: WritableStorage;
    /** Writes at or past `floor` must come in ascending order, as plans produce them. */
    constructor(storage: WritableStorage, floor: number);
    finish(): Written;
}
