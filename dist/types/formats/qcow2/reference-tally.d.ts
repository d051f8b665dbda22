/** What a walk counts: who references each host cluster, and how often; and what it finds wrong on the way. */
import { type Finding, FindingList } from "../../image/finding.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import { ReferenceCounts } from "./reference-counts.ts";
export declare class ReferenceTally {
    #private;
    /** Every reference, what a refcount must say. */
    readonly all: ReferenceCounts;
    /** References of the active L1 and its L2 tables whose COPIED flag is set: the refcount must be one. */
    readonly copied: ReferenceCounts;
    /** The same where the flag is clear: the refcount must not be one. */
    readonly uncopied: ReferenceCounts;
    /** References of compressed clusters, which may share a host cluster. */
    readonly compressed: ReferenceCounts;
    /** Metadata that only one thing may reference: everything but L2 tables. */
    readonly metadata: ReferenceCounts;
    /** How often the active L1 lists each L2 table. */
    readonly activeL2Tables: ReferenceCounts;
    /** The same for the L1 tables of snapshots. */
    readonly inactiveL2Tables: ReferenceCounts;
    /** Refcount blocks that something else references too: said once, when the refcount table is read. */
    readonly sharedBlocks: ReferenceCounts;
    readonly findings: FindingList;
    allocatedClusters: number;
    fragmentedClusters: number;
    compressedClusters: number;
    constructor(geometry: Qcow2Geometry);
    /** `describe` is asked only while findings are kept: a hostile image has millions. */
    corruption(describe: () => Omit<Finding, "severity">, count?: number): void;
    leak(describe: () => Omit<Finding, "severity">, count?: number): void;
    /** Something that could not be read or compared. */
    error(describe: () => Omit<Finding, "severity">, count?: number): void;
    /**
     * Counts a reference to every cluster that [hostOffset, hostOffset + length) touches. What ends a cluster or more
     * past the end of file is a finding instead, and the answer false.
     */
    count(hostOffset: number, length: number, structure: string, times?: number, into?: ReferenceCounts): boolean;
    /** A metadata structure of its own: its clusters may have no other reference. */
    countMetadata(hostOffset: number, length: number, structure: string): boolean;
}
