/** `setmap`, the letter's qemu-io command: points one guest range at a host range of the same file, for experts. */

import { byteMistakes, lookAtOptions, openRules, pathMistakes, refuseMistakes } from "./options/option-rules.ts";
import type { OpenOptions } from "./options/options.ts";
import type { SetmapReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";

/**
 * Makes guest bytes [guestOffset, +length) the file's bytes at `hostOffset`, by new tables of the image's own format
 * and one switch, as safe as a conversion. What the range showed before is no longer pointed at.
 *
 * @throws UsageError for what is no offset, length or option; nothing was opened
 * @throws ImageError `out-of-bounds` for ranges that are unaligned, outside, or in use by something else
 */
export async function setmap(
  path: string,
  guestOffset: number,
  hostOffset: number,
  length: number,
  options: OpenOptions = {},
  host: Host = thisHost(),
): Promise<SetmapReport> {
  const { given, mistakes } = lookAtOptions("setmap", openRules, options);
  const range = { guestOffset, hostOffset, length };
  refuseMistakes([
    ...pathMistakes(path),
    ...Object.entries(range).flatMap(([name, value]) => byteMistakes(value, name)),
    ...mistakes,
  ]);
  const { setMapping } = await import("./conversion/set-mapping.ts");
  return setMapping(path, range, given, host);
}
