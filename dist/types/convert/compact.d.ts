/** `compact`: a conversion to the format that the image has, for the sake of its last step, which gives back what is free. */
import type { CompactOptions } from "./options/options.ts";
import type { ConversionReport } from "./report/report.ts";
/**
 * Gives back free and leaked space inside the file of the image at `path`: what lies at the end moves into it, and the file
 * gets shorter. Internal snapshots and bitmaps survive.
 *
 * @throws ImageError as `convert` does; `unsupported` also for a format in which nothing can be moved
 * @throws UsageError as `convert` does
 */
export declare function compact(path: string, options?: CompactOptions): Promise<ConversionReport>;
