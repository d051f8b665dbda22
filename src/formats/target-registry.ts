/** The target's half of a format, by any of its names. */

import { UsageError } from "../bytes/image-error.ts";
import type { TargetDriver } from "../image/target.ts";
import { driverOf } from "./registry.ts";
import { formatTargets } from "./targets.ts";

export { formatTargets } from "./targets.ts";

/** Undefined for one that can only be read; throws UsageError for a format that we don't know. */
export function targetOf(format: string): TargetDriver | undefined {
  return formatTargets[driverOf(format).name];
}

/** As `targetOf`; throws UsageError also for one that can only be read. */
export function targetDriverOf(format: string): TargetDriver {
  const target = targetOf(format);
  if (target === undefined) throw new UsageError(`Cannot convert to ${format}: it can only be read so far`);
  return target;
}

/** Whether an image of the format may hold leaks that nothing but its compaction gives back, since it counts nothing. */
export function leavesLeaks(format: string): boolean {
  return targetOf(format)?.leavesLeaks ?? false;
}
