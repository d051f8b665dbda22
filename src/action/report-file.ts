/** The JSON report of all images, for later steps and for people. */

import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ImageResult, resultJson } from "./image-result.ts";

/** Makes the folder where it is missing. Replaces the name, never what a link of that name leads to: it may be an image. */
export async function writeReport(path: string, results: readonly ImageResult[], dryRun: boolean): Promise<void> {
  const report = { mode: "convert", "dry-run": dryRun, images: results.map(resultJson) };
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}-${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify(report, null, 2)}\n`, { flag: "wx" });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
