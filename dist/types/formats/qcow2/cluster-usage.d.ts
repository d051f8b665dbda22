/** Which host clusters a qcow2 target uses, and how often: once, but for those that compressed clusters share. */
export declare class ClusterUsage {
    #private;
    readonly clusterSize: number;
    constructor(clusterSize: number);
    /** Counts clusters that nobody else may use; `proveAlone` looks whether somebody does. */
    own(firstCluster: number, clusterCount: number): void;
    /** Counts the clusters under [hostOffset, hostEnd) once more; returns the largest count among them. */
    share(hostOffset: number, hostEnd: number): number;
    countOf(cluster: number): number;
    /** @throws ImageError `out-of-bounds` where an owned cluster has another user. */
    proveAlone(): void;
    /** Pages of PAGE_CLUSTERS clusters that hold any used one, ascending. */
    pageIndexes(): number[];
    /** A page as a bitmap, least significant bit first; undefined where a cluster in it counts more than one. */
    bitmapOf(page: number): Uint8Array | undefined;
}
