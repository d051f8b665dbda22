/** Where the guest's bytes lie, as `qemu-img map` tells it. */
import type { GuestTable } from "../../image/guest/view.ts";
import type { JoinedFiles } from "../../storage/storage.ts";
import type { OpenOptions } from "../options/options.ts";
/** One entry of `qemu-img map --output=json`, by the same names: a run of the guest's bytes that is all alike. */
export interface MapEntry {
    /** Where it begins in the guest's disk, in bytes. */
    readonly start: number;
    /** Bytes of the guest. */
    readonly length: number;
    /** Which of `files` it is told by: 0 is the image itself, 1 its backing file, and so on. */
    readonly depth: number;
    /** False where no file that was read says anything about the range. */
    readonly present: boolean;
    /** It reads as zeros by what the tables say; false where a file that was not read may say otherwise. */
    readonly zero: boolean;
    /** It is stored. */
    readonly data: boolean;
    /** It is stored compressed. */
    readonly compressed: boolean;
    /** Where it begins in the file of that depth, in bytes; absent for compressed data and what lies nowhere. */
    readonly offset?: number;
    /** The path of the file that `offset` counts in, where the image of that depth lies in several. */
    readonly filename?: string;
}
export interface MapReport {
    /** The image's path as it was given. */
    readonly image: string;
    /** `layer` where the image has a backing file that was not read. */
    readonly covers: "guest" | "layer";
    /** The path of the file that holds the image's disk, or says which ones do, then those of the backing files that were read. */
    readonly files: readonly string[];
    /** All of the guest's disk, ascending, without a gap. */
    readonly entries: readonly MapEntry[];
}
/**
 * The extents of the image, with `backingChain` those of the files below it too. Reads tables, no guest data.
 *
 * @throws ImageError `corrupt` where the tables can't be followed
 */
export declare function map(path: string, options?: OpenOptions): Promise<MapReport>;
/** `isLayer`: what is unallocated falls through to a file that was not read, so that it may be anything. `joined`: of each depth, where that is several files. */
export declare function mapEntries(table: GuestTable, isLayer: boolean, joined?: readonly (JoinedFiles | undefined)[]): MapEntry[];
/** What `qemu-img map` prints for people, and a row for compressed data besides; no line break at its end. */
export declare function mapText({ files, entries }: MapReport): string;
