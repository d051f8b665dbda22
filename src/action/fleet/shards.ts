/** Which shards' reports are missing: a job that died wrote none, and nobody else knows of it. */

import { basename, dirname } from "node:path";
import { counted } from "../../index.ts";
import type { ShardNumber } from "../inputs/shard-number.ts";
import type { ImageResult } from "../results/image-result.ts";

export interface FoundReport {
  readonly path: string;
  /** What it says itself. */
  readonly shard: ShardNumber | undefined;
}

export interface ShardsVerdict {
  /** Rising; empty where none is, or where it can't be told which. */
  readonly missing: readonly number[];
  /** One for each shard that nobody vouches for. */
  readonly results: readonly ImageResult[];
}

/** @param expected the input `shards`; with `auto` what the reports say of their number */
export function judgeShards(reports: readonly FoundReport[], expected: number | "auto"): ShardsVerdict {
  const told = reports.flatMap(({ shard }) => shard ?? []);
  const totals = told.flatMap(({ total }) => total ?? []);
  const total = expected === "auto" ? (totals.length > 0 ? Math.max(...totals) : undefined) : expected;
  const isTold = reports.length > 0 && told.length === reports.length;
  // What reports are called is a hint only: without a number of shards it says nothing.
  const numbers = reports.map(({ path, shard }) => shard?.number ?? numberIn(path));
  const twice = isTold ? repeated(told.map(({ number }) => number)) : [];
  const results = twice.map((number) => unvouched(`shard ${number}`, `${reportsOf(reports, number)} are both of it`));

  const last = total ?? (isTold ? Math.max(...told.map(({ number }) => number)) : undefined);
  if (last === undefined) return { missing: [], results };
  const isNumbered = numbers.every((number) => number !== undefined && number >= 1 && number <= last);
  // What says its number itself may come twice, which is told; names that repeat tell nothing.
  if (isNumbered && (isTold || new Set(numbers).size === numbers.length)) {
    const missing = Array.from({ length: last }, (_, index) => index + 1).filter((number) => !numbers.includes(number));
    const of = total === undefined ? "" : ` of ${total}`;
    const ofMissing = missing.map((number) => unvouched(`shard ${number}${of}`, "no report of it was found"));
    return { missing, results: [...ofMissing, ...results] };
  }
  if (total === undefined || reports.length === total) return { missing: [], results };
  const advice = "; the input shard of their jobs tells which";
  const which = unvouched("all shards", `${counted(reports.length, "report")} found of ${total}${advice}`);
  return { missing: [], results: [which, ...results] };
}

function unvouched(what: string, why: string): ImageResult {
  const failure = {
    kind: "report",
    message: `Cannot vouch for ${what}: ${why}`,
    reasons: [],
    advice: "What its job did is not known; see that job's own log",
    details: {},
  };
  return { image: what, path: undefined, report: undefined, failure, recovery: undefined };
}

/** `reports/3.json`, `report-3.json`, `fleet-report-3/report.json`. */
function numberIn(path: string): number | undefined {
  const names = [basename(path).replace(/\.[^.]*$/, ""), basename(dirname(path))];
  const [digits] = names.flatMap((name) => /(?:^|\D)(\d{1,3})$/.exec(name)?.[1] ?? []);
  return digits === undefined ? undefined : Number(digits);
}

function repeated(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers.filter((number, index) => numbers.indexOf(number) !== index))];
}

function reportsOf(reports: readonly FoundReport[], number: number): string {
  return reports
    .filter(({ shard }) => shard?.number === number)
    .map(({ path }) => path)
    .join(" and ");
}
