/** How the bytes of a compressed unit are stored: data, not a function, since hash workers inflate on their own threads. */
/** Raw deflate (RFC 1951), or zstd frames (RFC 8878); qemu-img's words. */
export type CompressionMethod = "zlib" | "zstd";
