/** Where the guest's bytes lie, as `qemu-img map` tells it. */
import { type GuestTable } from "../image/guest-view.ts";
import type { Volume } from "../storage/storage.ts";
import type { OpenOptions } from "./report.ts";
/** One entry of `qemu-img map --output=json`. Bytes. */
export interface MapEntry {
    readonly start: number;
    readonly length: number;
    /** 0 for the image itself, 1 for its backing file, and so on. */
    readonly depth: number;
    /** False where no file that was read says anything about the range. */
    readonly present: boolean;
    readonly zero: boolean;
    readonly data: boolean;
    /** In the file of that depth; absent for compressed data and what lies nowhere. */
    readonly offset?: number;
}
export interface MapReport {
    readonly json: readonly MapEntry[];
    /** What `qemu-img map` prints for people, and a row for compressed data besides. */
    readonly text: string;
}
/**
 * The extents of the image, with `backingChain` those of the files below it too. Reads tables, no guest data.
 *
 * @throws ImageError `corrupt` where the tables can't be followed
 */
export declare function map(path: string, options?: OpenOptions, volume?: Volume): Promise<MapReport>;
/** `isLayer`: what is unallocated falls through to a file that was not read, so that it may be anything. */
export declare function mapEntries(table: GuestTable, isLayer: boolean): MapEntry[];
