/** The digest of what an image's guest sees. */
import type { ChecksumOptions } from "../options/options.ts";
import type { ChecksumReport } from "../report/report.ts";
/**
 * Reads all that the guest can see, writes nothing.
 *
 * @throws ImageError `unsupported` for an image with a backing file unless `backingChain` is set, for an encrypted
 * one and for one with an external data file; `in-use` where QEMU writes to it (but with `forceShare`); `corrupt` where its tables can't be followed; `interrupted`
 */
export declare function checksum(path: string, options?: ChecksumOptions): Promise<ChecksumReport>;
