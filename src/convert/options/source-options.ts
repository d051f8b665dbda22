/** What can be said of an image that is opened. */

import { formatDrivers } from "../../formats/registry.ts";
import type { TargetOption } from "../../image/target-options.ts";

/** What `-o` takes for the image that is opened, of any format. */
export function sourceOptions(): readonly TargetOption[] {
  return formatDrivers.flatMap(({ openOptions = [] }) => openOptions);
}
