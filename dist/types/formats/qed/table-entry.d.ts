/** L1 and L2 entries: 64-bit little-endian, read as two 32-bit halves (QED specification, "Tables"). */
/** An L2 entry that reads as zeros; 0 is unallocated, everything else a host offset. */
export declare const ZERO_ENTRY = 1;
/** The host offset of an entry, or -1 for one beyond 2^53. */
export declare function entryOffset(low: number, high: number): number;
/** A table's bytes as 32-bit words, low half first; the bytes themselves are swapped where the machine needs it. */
export declare function entryWords(bytes: Uint8Array): Uint32Array;
/** Bytes of a table whose words were set in the machine's order. */
export declare function entryBytes(words: Uint32Array): Uint8Array;
/** Sets `count` entries from `index` on: `offset`, `offset` + `step`, ... */
export declare function fillEntries(words: Uint32Array, index: number, count: number, offset: number, step: number): void;
