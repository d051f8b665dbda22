/**
 * The plan of a switch: the whole conversion as values, proven, before a byte is written.
 *
 *   |h| source: data and old tables |  copies  |  new tables  |
 *    ^ the commit: one sector        ^ additive: past the old end, invisible to the source
 */
import type { RangeSet } from "../bytes/range-set.ts";
import type { Commit, ConversionOptions, Draft, MappedDraft, TargetDriver } from "../image/driver.ts";
import { type ExtentTable } from "../image/extent.ts";
import type { Epoch, GuestCopy } from "../image/write.ts";
/** What the planner needs to know of the image as found; no I/O happens behind it. */
export interface SourceFacts {
    readonly options: ConversionOptions;
    readonly mapping: ExtentTable;
    readonly metadata: RangeSet;
    readonly fileSize: number;
    /** The file's first bytes, at least as many as `headerAreaSize` asks for or the file has. */
    readonly header: Uint8Array;
}
export interface SwitchPlan {
    readonly source: ConversionOptions;
    readonly draft: MappedDraft;
    readonly copies: readonly GuestCopy[];
    readonly bytesMoved: number;
    readonly oldFileSize: number;
    /** The header area as the plan read it: what leads back over the commit. */
    readonly header: Uint8Array;
    /** Copies and new tables, past the old end, and extras in unused bytes of the header. */
    readonly additive: Epoch;
    readonly commit: Commit;
}
/** The header bytes that a plan may change or must keep: the larger header cluster, never less than 4 KiB. */
export declare function headerAreaSize(sourceClusterSize: number, targetClusterSize: number): number;
/** Throws ImageError `unsupported` with all reasons when the target can't hold the source. */
export declare function planSwitch(source: SourceFacts, target: TargetDriver, draft: Draft): SwitchPlan;
