/** Which data clusters move where when a file is settled: everything past a limit goes into holes below it. */
import { type ExtentTable } from "../../image/extent.ts";
import type { HostCopy } from "../../image/write.ts";
import type { ClusterBitmap } from "./cluster-bitmap.ts";
/** Moves in guest order, in parallel columns. Addresses and counts in clusters. */
export interface Relocation {
    /** Data at or past this cluster moves, all other data stays. */
    readonly limit: number;
    readonly fromClusters: readonly number[];
    readonly toClusters: readonly number[];
    readonly counts: readonly number[];
    readonly movedCount: number;
}
/**
 * Gives each data cluster at or past `limit` a hole in [firstCluster, limit), both in ascending order, so that what
 * is contiguous for the guest stays so where the holes allow. The caller has made sure that the holes suffice.
 */
export declare function relocate(extents: ExtentTable, clusterSize: number, references: ClusterBitmap, firstCluster: number, limit: number): Relocation;
/** One copy a move, made as they are asked for: a scattered image has very many. */
export declare function hostCopies(relocation: Relocation, clusterSize: number): Iterable<HostCopy>;
