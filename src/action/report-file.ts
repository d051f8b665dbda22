/** The JSON report of all images, for later steps and for people. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ImageResult, resultJson } from "./image-result.ts";

/** Makes the folder where it is missing. */
export async function writeReport(path: string, results: readonly ImageResult[], dryRun: boolean): Promise<void> {
  const report = { mode: "convert", "dry-run": dryRun, images: results.map(resultJson) };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
}
