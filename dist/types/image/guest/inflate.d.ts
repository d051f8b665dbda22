/** One compressed cluster to its plain bytes: raw deflate (RFC 1951) or zstd frames (RFC 8878); input and output bounded. */
export type CompressionMethod = "zlib" | "zstd";
/**
 * Gives the `clusterSize` bytes that `stored` holds. `stored` may go on past the end of the stream: formats count it
 * in sectors. Throws ImageError `corrupt` when the stream is damaged or is not exactly one cluster.
 */
export declare function inflateCluster(method: CompressionMethod, stored: Uint8Array, clusterSize: number): Uint8Array;
/** For a Node whose zlib has no zstd. */
export declare function inflateFrameWithoutZlib(frame: Uint8Array, maxLength: number): Uint8Array;
