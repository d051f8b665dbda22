/** Whether two images show their guests the same bytes. */
import type { Volume } from "../../storage/storage.ts";
import type { CompareOptions } from "../options/options.ts";
import type { CompareReport } from "../report/report.ts";
/**
 * As `qemu-img compare` without `-s`: allocation does not count, and disks of different sizes are the same where the
 * longer one's tail is zeros. `sizes` tells them apart.
 *
 * @throws ImageError as `checksum` does
 */
export declare function compare(a: string, b: string, options?: CompareOptions, volume?: Volume): Promise<CompareReport>;
