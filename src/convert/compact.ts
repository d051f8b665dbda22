/** `compact`: a conversion to the format that the image has, for the sake of its last step, which gives back what is free. */

import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, say } from "../bytes/sentence.ts";
import { driverOf, probeFormat } from "../formats/registry.ts";
import { convert } from "./convert.ts";
import { compactRules, optionsOf } from "./options/option-rules.ts";
import type { CompactOptions } from "./options/options.ts";
import type { ConversionReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";

/**
 * Gives back free and leaked space inside the file of the image at `path`: what lies at the end moves into it, and the file
 * gets shorter. Internal snapshots and bitmaps survive.
 *
 * @throws ImageError as `convert` does; `unsupported` also for a format in which nothing can be moved
 * @throws UsageError as `convert` does
 */
export async function compact(
  path: string,
  options: CompactOptions = {},
  host: Host = thisHost(),
): Promise<ConversionReport> {
  const given = optionsOf("compact", path, compactRules, options);
  const format = given.format === undefined ? await formatFound(path, host) : driverOf(given.format).name;
  if (!driverOf(format).canRearrange) {
    throw new ImageError("unsupported", say`Cannot compact ${imageNamed(path)}`, {
      because: `inside a ${format} image nothing can be moved, so that nothing is given back`,
      path,
      format,
      operation: "plan",
    });
  }
  return convert(path, format, { ...given, format, compact: true }, host);
}

async function formatFound(path: string, { volume }: Host): Promise<string> {
  const storage = await volume.openForReading(path);
  try {
    return (await probeFormat(storage)).name;
  } finally {
    await storage.close();
  }
}
