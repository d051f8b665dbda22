/** The JSON report of all images, for later steps and for `mode: collect`, and the page for people beside it. */

import { kebabKeys } from "../../index.ts";
import type { ReportPaths } from "../inputs/inputs.ts";
import { SCHEMA_VERSION } from "../results/provenance.ts";
import { resultJson } from "../results/result-json.ts";
import type { StepResult } from "../results/step-result.ts";
import { replaceFile } from "./replace-file.ts";

export async function writeReport({ json, page }: ReportPaths, step: StepResult): Promise<void> {
  const { mode, dryRun, targetFormat, results, provenance, matrix, shard, missingShards } = step;
  const report = {
    "schema-version": SCHEMA_VERSION,
    provenance: kebabKeys(provenance),
    mode,
    "dry-run": dryRun,
    ...(targetFormat ? { "target-format": targetFormat } : {}),
    ...(shard && { shard: shard.total === undefined ? `${shard.number}` : `${shard.number}/${shard.total}` }),
    ...(missingShards && { "missing-shards": missingShards }),
    images: results.map(resultJson),
    ...(matrix && { matrix }),
  };
  await replaceFile(json, `${JSON.stringify(report, null, 2)}\n`);
  if (page === undefined) return;
  const { pageOf } = await import("./page/page.ts");
  await replaceFile(page, pageOf(step));
}
