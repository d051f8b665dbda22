/** The JSON report of all images, for later steps and for `mode: collect`, and the page for people beside it. */

import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ReportPaths } from "../inputs/inputs.ts";
import { resultJson } from "../results/result-json.ts";
import type { StepResult } from "../results/step-result.ts";

export async function writeReport({ json, page }: ReportPaths, step: StepResult): Promise<void> {
  const { mode, dryRun, targetFormat, results, matrix, shard, missingShards } = step;
  const report = {
    mode,
    "dry-run": dryRun,
    ...(targetFormat ? { "target-format": targetFormat } : {}),
    ...(shard && { shard: shard.total === undefined ? `${shard.number}` : `${shard.number}/${shard.total}` }),
    ...(missingShards && { "missing-shards": missingShards }),
    images: results.map(resultJson),
    ...(matrix && { matrix }),
  };
  await replace(json, `${JSON.stringify(report, null, 2)}\n`);
  if (page === undefined) return;
  const { pageOf } = await import("./page/page.ts");
  await replace(page, pageOf(step));
}

/** Makes the folder where it is missing. Replaces the name, never what a link of that name leads to: it may be an image. */
async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}-${randomUUID()}`;
  try {
    await writeFile(draft, text, { flag: "wx" });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
