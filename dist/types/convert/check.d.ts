/** `check`: what is wrong inside an image, in qemu-img's words; with `repair`, mended and checked again. */
import type { CheckOptions } from "./options/options.ts";
import type { CheckReport } from "./report/report.ts";
/**
 * Checks the image at `path`, writing nothing unless `repair` is asked for.
 *
 * @throws ImageError where the image can't be opened or read, `in-use` where QEMU has it open for writing (but with
 * `forceShare`), and of a repair with `journal` set where that stands and `resume` or `rollback` goes on; what is
 * wrong inside the image is in the report
 * @throws UsageError for options of the wrong kind; nothing was opened
 */
export declare function check(path: string, options?: CheckOptions): Promise<CheckReport>;
