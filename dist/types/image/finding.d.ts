/** What a consistency check says: the fields of `qemu-img check --output=json`, and each finding by itself. */
export type FindingSeverity = "corruption" | "leak" | "error" | "warning";
export interface Finding {
    readonly severity: FindingSeverity;
    /** In kebab case, e.g. `refcount-mismatch`, `table-overlap`, `entry-out-of-bounds`. */
    readonly kind: string;
    /** The specification's noun, e.g. `L2 table 3`, `refcount block`. */
    readonly structure: string;
    readonly guestOffset?: number;
    readonly hostOffset?: number;
    /** What the image says, where refcounts are compared. */
    readonly refcount?: number;
    /** What was counted. */
    readonly references?: number;
    /** One sentence that names the place and what is wrong; no full stop. */
    readonly message: string;
    /** What `qemu-img check` prints for it on stderr, word for word, without its line break; absent where it prints nothing. May hold a break where that prints two lines at once. */
    readonly line?: string;
}
/** Hears every finding in qemu-img's order, also those that a result has no room for. */
export type FindingListener = (finding: Finding) => void;
/** Counts are of clusters, as qemu-img counts them. */
export interface CheckResult {
    readonly corruptions: number;
    readonly leaks: number;
    /** Structures that could not be read. */
    readonly checkErrors: number;
    /** What qemu-img lets pass and we would build nothing on, e.g. a cluster that a table and data share. */
    readonly warnings: number;
    /** One past the last byte that the format uses, in bytes of the file; 0 where qemu-img tells none (QED). */
    readonly imageEndOffset: number;
    readonly totalClusters: number;
    readonly allocatedClusters: number;
    readonly fragmentedClusters: number;
    readonly compressedClusters: number;
    /** The first MAX_FINDINGS, in the order found; the counts above cover all. */
    readonly findings: readonly Finding[];
}
/** Of a format that has nothing to check. */
export declare const NOTHING_FOUND: CheckResult;
/** Findings kept of one check, so that a hostile image can't fill the memory. */
export declare const MAX_FINDINGS = 1000;
/** Collects findings and counts them; shared by the checks of all formats. */
export declare class FindingList {
    #private;
    corruptions: number;
    leaks: number;
    checkErrors: number;
    warnings: number;
    constructor(listener?: FindingListener);
    /** `clusterCount` is how many clusters the finding stands for (a run of leaked clusters is one finding). */
    add(finding: Finding, clusterCount?: number): void;
    get findings(): readonly Finding[];
}
