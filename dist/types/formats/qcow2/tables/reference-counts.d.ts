/**
 * How often each host cluster is referenced, in pages that are made at their first reference.
 *
 * A page lists its clusters while they are few and counts each once; then it is a bitmap while no cluster in it counts
 * more than one, so a healthy image costs one bit a cluster; it widens by itself to 8, 32 and 64 bits a cluster.
 * Nothing is allocated for what nobody references, whatever the file's length or an offset claims.
 */
/** Clusters of one page; a power of two. */
export declare const PAGE_CLUSTERS = 32768;
export declare class ReferenceCounts {
    #private;
    /** Counts `times` references to each of `clusterCount` clusters from `firstCluster` on. */
    add(firstCluster: number, clusterCount?: number, times?: number): void;
    get(cluster: number): number;
    /** True where no cluster of [firstCluster, firstCluster + clusterCount) has a page: all their counts are 0. */
    isBlank(firstCluster: number, clusterCount: number): boolean;
    /** Clusters that are referenced at all, ascending, with their counts. */
    each(): Generator<{
        readonly cluster: number;
        readonly count: number;
    }>;
    /** The same of one page. */
    eachIn(pageIndex: number): Generator<{
        readonly cluster: number;
        readonly count: number;
    }>;
    /** Pages that exist, ascending; page i holds clusters from i * PAGE_CLUSTERS on. */
    pageIndexes(): number[];
    /**
     * The bitmap of a page in which no count exceeds one, least significant bit first; undefined where one does. Valid
     * until the next question.
     */
    bitmapOf(pageIndex: number): Uint8Array | undefined;
}
