/** The JSON report of all images, for later steps and for `mode: collect`, and the page for people beside it. */

import { kebabKeys } from "../../index.ts";
import type { ReportPaths } from "../inputs/inputs.ts";
import { SCHEMA_VERSION } from "../results/provenance.ts";
import { resultJson } from "../results/result-json.ts";
import type { StepResult } from "../results/step-result.ts";
import { replaceFile } from "./replace-file.ts";

/** Images whose JSON is written at once: of a thousand the whole would be as large as all else in memory. */
const AT_ONCE = 16;

export async function writeReport({ json, page }: ReportPaths, step: StepResult): Promise<void> {
  await replaceFile(json, reportText(step));
  if (page === undefined) return;
  const { pageOf } = await import("./page/page.ts");
  await replaceFile(page, pageOf(step));
}

/** As `JSON.stringify` writes all of it with an indent of 2, piece by piece. */
export function* reportText(step: StepResult): Generator<string> {
  const { mode, dryRun, targetFormat, results, provenance, matrix, shard, missingShards } = step;
  const beginning = {
    "schema-version": SCHEMA_VERSION,
    provenance: kebabKeys(provenance),
    mode,
    "dry-run": dryRun,
    ...(targetFormat ? { "target-format": targetFormat } : {}),
    ...(shard && { shard: shard.total === undefined ? `${shard.number}` : `${shard.number}/${shard.total}` }),
    ...(missingShards && { "missing-shards": missingShards }),
  };
  yield `${indented(beginning, 0).slice(0, -2)},\n  "images": [`;
  for (let first = 0; first < results.length; first += AT_ONCE) {
    const texts = results.slice(first, first + AT_ONCE).map((result) => `\n    ${indented(resultJson(result), 4)}`);
    yield `${first > 0 ? "," : ""}${texts.join(",")}`;
  }
  yield results.length > 0 ? "\n  ]" : "]";
  if (matrix) yield `,\n  "matrix": ${indented(matrix, 2)}`;
  yield "\n}\n";
}

/** Its first line is where the text stands already. */
function indented(value: unknown, by: number): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${" ".repeat(by)}`);
}
