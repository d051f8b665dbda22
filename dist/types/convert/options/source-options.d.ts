/** What can be said of an image that is opened. */
import type { TargetOption } from "../../image/target-options.ts";
/** What `-o` takes for the image that is opened, of any format. */
export declare function sourceOptions(): readonly TargetOption[];
