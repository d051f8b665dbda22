/**
 * Digests of what the guest sees.
 *
 * - `sha256`: SHA-256 of the guest's bytes, what `sha256sum` says of the raw disk.
 * - `blkhash-sha256`: what `blksum -d sha256` of the blkhash project prints: SHA-256 over the SHA-256 of each 64 KiB
 *   block (the last may be shorter) in order, followed by the disk's length as 64-bit little-endian. Zeros cost next
 *   to nothing, and blocks are hashed on several threads.
 */
import { type GuestView } from "./guest-view.ts";
export type DigestAlgorithm = "blkhash-sha256" | "sha256";
export interface DigestOptions {
    /** In bytes: of the disk for `sha256`, of what has to be read for `blkhash-sha256`. */
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
    /** Ends the computation within a fraction of a second, with an ImageError of kind `interrupted`. */
    readonly signal?: AbortSignal | undefined;
    /** Threads to hash blocks on; by default one for each core, at most 4. Below 2 all is done on this thread. */
    readonly workerCount?: number | undefined;
}
/** The digest in lower-case hex. Throws ImageError `io`, `corrupt` (a cluster that does not inflate) or `interrupted`. */
export declare function digestGuest(view: GuestView, algorithm: DigestAlgorithm, options?: DigestOptions): Promise<string>;
