/**
 * The picture of an image's file: where header, tables and guest data lie, in a bounded number of runs whatever its size.
 *
 *   | header | tables | data          | free | compressed | data |
 */
import type { RangeSet } from "../bytes/range-set.ts";
import { type ExtentTable } from "./extent.ts";
import type { Image } from "./source.ts";
/** `free` is all that holds neither metadata nor anything of the disk as it is: holes, leaks, what snapshots alone keep. */
export declare const LAYOUT_KINDS: readonly ["header", "tables", "data", "compressed", "free"];
export type LayoutKind = (typeof LAYOUT_KINDS)[number];
/** In bytes of the file. */
export interface LayoutRun {
    readonly start: number;
    readonly length: number;
    readonly kind: LayoutKind;
}
export interface FileLayout {
    readonly fileSize: number;
    /** Sums over all runs. */
    readonly bytes: Readonly<Record<LayoutKind, number>>;
    /** False where runs stand for stretches of the file: what a stretch holds is right, the order inside it is not. */
    readonly isExact: boolean;
    /** At most MAX_RUNS, in order, without a gap from 0 to `fileSize`. */
    readonly runs: readonly LayoutRun[];
}
export interface LayoutFacts {
    readonly mapping: ExtentTable;
    readonly metadata: RangeSet;
    readonly clusterSize: number;
    readonly fileSize: number;
}
/** More would be narrower than a pixel. */
export declare const MAX_RUNS = 256;
/** Reads no more than mapping and metadata ranges do; throws as they do. */
export declare function layoutOf(image: Image): Promise<FileLayout>;
export declare function fileLayout(facts: LayoutFacts): FileLayout;
