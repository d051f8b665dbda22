/** Files that a step leaves beside its images: whole or not at all. */

import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes the folder where it is missing. Replaces the name, never what a link of that name leads to: it may be an image. */
export async function replaceFile(path: string, text: string | Iterable<string>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}-${randomUUID()}`;
  try {
    await writeFile(draft, text, { flag: "wx" });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
