/** One bit a cluster of the file, to see what is referenced, referenced twice, or by nobody. */
export declare class ClusterBitmap {
    #private;
    readonly clusterCount: number;
    /** Memory is `clusterCount` / 8 bytes, taken from the host only where bits are set. */
    constructor(clusterCount: number);
    /** How many clusters are marked. */
    get markedCount(): number;
    has(cluster: number): boolean;
    /** Marks `count` clusters from `first`; returns how many of them were marked already. */
    mark(first: number, count: number): number;
    /** The first marked cluster in [from, end), or `end`. */
    nextMarked(from: number, end: number): number;
    /** The first cluster in [from, end) that is not marked, or `end`. */
    nextFree(from: number, end: number): number;
    /** One past the last marked cluster; 0 when there is none. */
    get markedEnd(): number;
}
