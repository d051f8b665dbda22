/** CRC-32 (IEEE 802.3, reflected polynomial 0xedb88320), as zlib and gzip compute it; node:zlib has it only since 20.15. */
export declare function crc32(bytes: Uint8Array): number;
