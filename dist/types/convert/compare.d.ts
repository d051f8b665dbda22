/** Whether two images show their guests the same bytes. */
import type { Volume } from "../storage/storage.ts";
import type { CompareReport, OpenOptions } from "./report.ts";
export interface CompareOptions extends Omit<OpenOptions, "format"> {
    /** Of the first image, `-f`; probed where absent. */
    readonly formatA?: string;
    /** Of the second image, `-F`. */
    readonly formatB?: string;
}
/**
 * As `qemu-img compare` without `-s`: allocation does not count, and disks of different sizes are the same where the
 * longer one's tail is zeros. `sizes` tells them apart.
 *
 * @throws ImageError as `checksum` does
 */
export declare function compare(a: string, b: string, options?: CompareOptions, volume?: Volume): Promise<CompareReport>;
