/** `mode: collect`: the reports of other jobs read as results, as if this step had done their work. */

import { readFile, stat } from "node:fs/promises";
import { parseShard } from "../inputs/shard-number.ts";
import type { ImageResult } from "../results/image-result.ts";
import { SCHEMA_VERSION } from "../results/provenance.ts";
import { resultOfJson } from "../results/result-json.ts";
import type { FoundReport } from "./shards.ts";

/** A report of a hundred thousand images is smaller. */
const MAX_REPORT_BYTES = 256 * 1024 * 1024;

export interface Collected {
  /** Of all reports; a file that is none of ours is a failure of its own. */
  readonly results: readonly ImageResult[];
  /** Each with the shard that it says it is of. */
  readonly reports: readonly FoundReport[];
  /** Whether all of them were dry runs or plans. */
  readonly dryRun: boolean;
  /** The one that all of them have. */
  readonly targetFormat: string | undefined;
}

/** @param paths in the order in which their images are to be told */
export async function collectReports(paths: readonly string[]): Promise<Collected> {
  const results: ImageResult[] = [];
  const formats = new Set<string>();
  const reports: FoundReport[] = [];
  let dryRunCount = 0;
  for (const path of paths) {
    try {
      const { images, "dry-run": dryRun, "target-format": format, shard } = await readReport(path);
      reports.push({ path, shard: typeof shard === "string" ? parseShard(shard) : undefined });
      for (const image of images) results.push(resultOfJson(image));
      if (dryRun === true) dryRunCount += 1;
      if (typeof format === "string") formats.add(format);
    } catch (error) {
      reports.push({ path, shard: undefined });
      results.push(unreadable(path, error instanceof Error ? error.message : String(error)));
    }
  }
  const [targetFormat] = formats.size === 1 ? formats : [];
  const dryRun = dryRunCount > 0 && dryRunCount === paths.length;
  return { results, reports, dryRun, targetFormat };
}

function unreadable(path: string, why: string): ImageResult {
  const message = `Cannot read the report ${path}: ${why}`;
  const advice = "What its job did is not known; see that job's own summary";
  const failure = { kind: "report", message, reasons: [], advice, details: {} };
  return { image: path, path, report: undefined, failure, recovery: undefined };
}

interface Report {
  readonly images: readonly object[];
  readonly "schema-version"?: unknown;
  readonly "dry-run"?: unknown;
  readonly "target-format"?: unknown;
  readonly shard?: unknown;
}

async function readReport(path: string): Promise<Report> {
  const { size } = await stat(path);
  if (size > MAX_REPORT_BYTES) throw new Error(`it has ${size} bytes, and ${MAX_REPORT_BYTES} are allowed`);
  const value: unknown = JSON.parse(await readFile(path, "utf8"));
  if (!isReport(value)) throw new Error("it is no report of this action: it lists no images");
  const { "schema-version": version = SCHEMA_VERSION } = value;
  if (version !== SCHEMA_VERSION) {
    const known = `${SCHEMA_VERSION} is known here; use one release of this action in all jobs`;
    throw new Error(`its schema version is ${version}, and ${known}`);
  }
  return value;
}

function isReport(value: unknown): value is Report {
  if (typeof value !== "object" || value === null || !("images" in value) || !Array.isArray(value.images)) return false;
  return value.images.every((image: unknown) => {
    return typeof image === "object" && image !== null && "image" in image && typeof image.image === "string";
  });
}
