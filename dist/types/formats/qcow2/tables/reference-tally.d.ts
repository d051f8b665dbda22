/** What a walk counts: who references each host cluster, and how often; and what it finds wrong on the way. */
import { type Finding, FindingList, type FindingListener } from "../../../image/finding.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { ReferenceCounts } from "./reference-counts.ts";
type Description = Omit<Finding, "severity">;
/** Given to a tally that tells every finding in the order in which qemu-img meets them. */
export interface DetailedPass {
    readonly listener: FindingListener | undefined;
    /** The largest count that a refcount can say; each reference beyond it is told when it is met. */
    readonly maxRefcount: number;
}
export declare class ReferenceTally {
    #private;
    /** Every reference, what a refcount must say. */
    readonly all: ReferenceCounts;
    /** Every reference but those of `addCopied`, so that a healthy image's data clusters are counted in one place only. */
    readonly others: ReferenceCounts;
    /** Of `others`, those whose COPIED flag is set. */
    readonly copied: ReferenceCounts;
    /** References of the active L1 and its L2 tables whose COPIED flag is clear: the refcount must not be one. */
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
    /** Refcounts of clusters whose COPIED flag is wrong in some entry; only as many as are told one by one. */
    readonly misflagged: Map<number, number | bigint>;
    /** The first entry of the refcount table that points between clusters, and where to, in hexadecimal digits. */
    unalignedBlock: {
        readonly index: number;
        readonly place: string;
    } | undefined;
    hasSaidUnaligned: boolean;
    readonly findings: FindingList;
    /** Undefined for a walk in the order that costs least. */
    readonly detailed: DetailedPass | undefined;
    allocatedClusters: number;
    fragmentedClusters: number;
    compressedClusters: number;
    /** L2 tables as often as L1 tables list them. */
    listedTables: number;
    /** Entries that an external data file's clusters have without COPIED flag, and entries outside the file. */
    doubtfulFlags: number;
    constructor(geometry: Qcow2Geometry, detailed?: DetailedPass);
    /** `describe` is asked only while findings are kept or told: a hostile image has millions. */
    corruption(describe: () => Description, count?: number): void;
    leak(describe: () => Description, count?: number): void;
    /** Something that could not be read or compared. */
    error(describe: () => Description, count?: number): void;
    /** What qemu-img lets pass; told after everything else. */
    warning(describe: () => Description, count?: number): void;
    /** Tells those that were held back; later ones are told at once. */
    tellWarnings(): void;
    /** Whether [hostOffset, hostOffset + length) ends less than a cluster past the end of file. */
    isInside(hostOffset: number, length: number): boolean;
    /**
     * Counts a reference to every cluster that [hostOffset, hostOffset + length) touches. What ends a cluster or more
     * past the end of file is a finding instead, and the answer false. `exactly` tells places beyond 2^53.
     */
    count(hostOffset: number, length: number, structure: string, times?: number, into?: ReferenceCounts, exactly?: () => string): boolean;
    /** Counts a reference to each of `clusterCount` clusters of the file. */
    addClusters(firstCluster: number, clusterCount: number, times: number): void;
    /** The same for entries of active L2 tables whose COPIED flag is set; not for a detailed walk. */
    addCopied(firstCluster: number, clusterCount: number, times: number): void;
    /** References of the active L1 and its L2 tables whose COPIED flag is set: the refcount must be one. */
    copiedOf(cluster: number): number;
    /** A metadata structure of its own: its clusters may have no other reference. */
    countMetadata(hostOffset: number, length: number, structure: string): boolean;
}
/** qemu-img's words for what lies a cluster or more past the end of file; `place` is hexadecimal. */
export declare function outsideLine(place: string, length: number): string;
export declare function overflowFinding(cluster: number, clusterSize: number, references: number): Description;
export {};
