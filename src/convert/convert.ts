/** `convert` and `plan`: the doors, where options are read at once; what stands behind is loaded when one is opened. */

import { convertRules, lookAtOptions } from "./options/option-rules.ts";
import type { ConvertOptions } from "./options/options.ts";
import type { ConversionReport, Foretold } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";

const behind = () => import("./conversion/of-image.ts");

/**
 * Changes the format of the image at `path` to `targetFormat`, inside its own file.
 *
 * @throws ImageError with `reasons` for a refusal, with `rolledBack` where the image was put back, and with `journal`
 * where that stands and `resume` or `rollback` goes on; in all other cases nothing was written.
 * @throws UsageError for a path, a format or options that no image could take; nothing was opened
 */
export async function convert(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<ConversionReport> {
  const looked = lookAtOptions("convert", convertRules, options);
  const { convertImage } = await behind();
  return convertImage(path, targetFormat, looked, host);
}

/**
 * What `convert` would do, as a report and as text; wherever it would refuse, all reasons are in `report.refused`.
 * Writes nothing.
 *
 * @throws ImageError for a file that can't be read or is no image whose tables can be followed
 * @throws UsageError as `convert` does
 */
export async function plan(
  path: string,
  targetFormat: string,
  options: ConvertOptions = {},
  host: Host = thisHost(),
): Promise<Foretold> {
  const looked = lookAtOptions("plan", convertRules, options);
  const { planImage } = await behind();
  return planImage(path, targetFormat, looked, host);
}
