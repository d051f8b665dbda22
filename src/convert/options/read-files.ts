/** Options that name a file: what that holds is read once, so that a journal knows it too. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { targetOf } from "../../formats/target-registry.ts";
import { readExactly, type Volume } from "../../storage/storage.ts";
import type { ConvertOptions } from "./options.ts";

const MAX_BYTES = 2 ** 20;

/** Throws ImageError where a file can't be read, or is none that an option could mean. */
export async function withFilesRead(
  volume: Volume,
  targetFormat: string,
  given: ConvertOptions,
): Promise<ConvertOptions> {
  const options: Record<string, string> = { ...given.options };
  for (const { name, readInto } of targetOf(targetFormat)?.options ?? []) {
    const path = options[name];
    if (readInto === undefined || path === undefined) continue;
    delete options[name];
    options[readInto] = await contentOf(volume, path, name);
  }
  return { ...given, ...(given.options && { options }) };
}

/** In hex. */
async function contentOf(volume: Volume, path: string, name: string): Promise<string> {
  const storage = await volume.openForReading(path);
  try {
    const size = await storage.size();
    if (size > 0 && size <= MAX_BYTES) return Buffer.from(await readExactly(storage, 0, size, name)).toString("hex");
    throw new ImageError("unsupported", say`Cannot use ${imageNamed(path)} for ${name}`, {
      because: size === 0 ? "it is empty" : `it has ${size} bytes, more than ${MAX_BYTES}`,
      path,
    });
  } finally {
    await storage.close();
  }
}
