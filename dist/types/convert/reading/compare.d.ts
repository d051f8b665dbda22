/** Whether two images show their guests the same bytes. */
import type { CompareOptions } from "../options/options.ts";
import type { CompareReport } from "../report/report.ts";
/**
 * As `qemu-img compare`: allocation does not count, and disks of different sizes are the same where the longer one's tail
 * is zeros. `sizes` tells them apart. With `strict`, its `-s`, both are differences. qemu-img may then call two images
 * different because runs that are alike reach the disk's end from different places; here what is alike is the same.
 *
 * @throws ImageError as `checksum` does
 */
export declare function compare(a: string, b: string, options?: CompareOptions): Promise<CompareReport>;
