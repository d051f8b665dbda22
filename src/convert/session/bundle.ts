/** A text beside an image, under a name that its format fixes, that may say the image is only a part of a disk. */

import { basename } from "node:path";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { bundleTextsOf } from "../../formats/registry.ts";
import { besidePath } from "../../journal/names.ts";
import type { Volume } from "../../storage/storage.ts";
import { readText } from "./named-image.ts";

/**
 * Throws `unsupported` where such a text says so, or can't be read: what is there of the disk would become all of it, and
 * what the text goes on to name would be another's.
 */
export async function refusePart(
  { volume, path }: { readonly volume: Volume; readonly path: string },
  format: string,
): Promise<void> {
  for (const { fileName, whyPart } of bundleTextsOf(format)) {
    const text = await readText(volume, path, fileName);
    const part = text && whyPart(text.bytes, basename(path));
    if (part === undefined) continue;
    throw new ImageError("unsupported", say`Cannot convert ${imageNamed(path)}`, {
      because: `${besidePath(path, fileName)} ${part.because}`,
      remedy: part.remedy,
      path,
      operation: "plan",
    });
  }
}
