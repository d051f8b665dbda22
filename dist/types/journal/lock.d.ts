/** `<image>.inplace-lock`: made exclusively by the one writing command that runs; a dead owner's is taken over. */
import type { ProcessTable } from "../storage/process-table.ts";
import { type Volume } from "../storage/storage.ts";
export declare class Lock {
    #private;
    private constructor();
    /** Throws `in-use` while another command works on the image. */
    static acquire(volume: Volume, imagePath: string, processes: ProcessTable): Promise<Lock>;
    /** Throws `in-use` where another command holds the lock now, as of two that took a dead owner's over at once. */
    refuseLost(): Promise<void>;
    /** Another command's lock is left alone. */
    release(): Promise<void>;
}
