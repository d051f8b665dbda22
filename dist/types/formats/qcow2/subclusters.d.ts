/** The 32 subclusters of an extended L2 entry (docs/interop/qcow2.txt, "Extended L2 Entries"). */
export declare const SUBCLUSTER_COUNT = 32;
/** What the bitmap says of one subcluster; `invalid` where it is allocated and zero at once. */
export type SubclusterState = "unallocated" | "data" | "zero" | "invalid";
export interface SubclusterRun {
    /** First subcluster, 0 to 31. */
    readonly first: number;
    readonly count: number;
    readonly state: SubclusterState;
}
/** Splits a bitmap into runs of equal state. `allocated` and `zero` are its halves: bits 0 to 31 and 32 to 63. */
export declare function subclusterRuns(allocated: number, zero: number): SubclusterRun[];
/** True where some subcluster is allocated and zero at once, which the format forbids. */
export declare function hasInvalidSubcluster(allocated: number, zero: number): boolean;
