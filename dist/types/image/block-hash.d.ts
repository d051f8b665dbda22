/** SHA-256 of 64 KiB blocks, on whichever thread; zeros are recognised, so that their digest is computed once. */
export declare const DIGEST_SIZE = 32;
/** SHA-256 of at most BLOCK_SIZE zeros. */
export declare function digestOfZeros(length: number): Uint8Array;
/** The digests of all blocks of `bytes`, one after the other; the last block may be shorter. */
export declare function hashBlocks(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
