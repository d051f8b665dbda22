/** What can be wrong with L1 and L2 entries, in words; kept apart so that entries that are right cost no text. */
import { ImageError } from "../../bytes/image-error.ts";
import { type Finding, FindingList } from "../../image/finding.ts";
import type { QedHeader } from "./header.ts";
export declare class TableFindings {
    #private;
    readonly list: FindingList;
    constructor(header: QedHeader);
    /** The first finding that keeps the mapping from being followed. */
    get broken(): Finding | undefined;
    /** An L2 table where none can be; `tableOffset` is -1 beyond 2^53. */
    tableOutOfBounds(l1Index: number, tableOffset: number): void;
    /** An L2 table of whose clusters `count` are referenced already. */
    tableOverlap(l1Index: number, tableOffset: number, count: number): void;
    /** `count` entries that point between clusters or past the end; `hostOffset` is -1 beyond 2^53. */
    badEntries(l1Index: number, guestCluster: number, hostOffset: number, count: number): void;
    /** A run of `count` clusters of which `already` are referenced elsewhere; the mapping can be followed all the same. */
    doubleReferences(l1Index: number, guestCluster: number, hostOffset: number, count: number, already: number): void;
}
/** The error for a mapping that can't be followed. */
export declare function brokenMapping(finding: Finding, path: string): ImageError;
