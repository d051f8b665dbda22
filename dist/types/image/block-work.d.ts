/** Cuts the guest's disk into 64 KiB blocks for `blkhash-sha256`: those known to be zeros, and those to be read. */
import { type GuestTable } from "./guest-view.ts";
export declare const BLOCK_SIZE = 65536;
/** Blocks of zeros, then blocks that lie in files at least in part. Lengths in bytes, whole blocks but for the disk's last. */
export interface BlockRun {
    readonly zeroLength: number;
    /** Of the first stored block. */
    readonly guestOffset: number;
    readonly storedLength: number;
}
/** What is handed to a thread at once: runs that follow each other, of which only the stored blocks are read. */
export interface BlockWork {
    readonly runs: readonly BlockRun[];
    /** Bytes of the stored blocks of all runs. */
    readonly length: number;
    /** The stored blocks in order and without gaps, PART_WIDTH numbers for each part. */
    readonly parts: Float64Array<ArrayBuffer>;
}
/** Columns of a part: numbers alone, so that the work crosses to another thread as one buffer. */
export declare const PART_WIDTH = 6;
export declare const PartColumn: {
    readonly state: 0;
    readonly length: 1;
    readonly layer: 2;
    readonly hostOffset: 3;
    readonly storedLength: 4;
    readonly clusterSkip: 5;
};
/** The whole disk in order, with at most `maxBlocks` stored blocks each. */
export declare function planBlockWork(table: GuestTable, virtualSize: number, maxBlocks: number): Generator<BlockWork>;
