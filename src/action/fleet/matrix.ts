/** `mode: plan`: the images shared out to jobs, so that all take about as long; no job of ours schedules anything. */

import { counted, UsageError } from "../../index.ts";
import { MAX_SHARDS } from "../inputs/inputs.ts";
import type { Matrix } from "../results/step-result.ts";

export interface PlannedLine {
  /** As the input `image` takes it. */
  readonly line: string;
  /** What its job will read and write, in bytes; undefined where only the download will tell. */
  readonly work: number | undefined;
}

/** Linux hands no environment variable of more than 128 KiB to a program, and inputs are such. */
const MAX_SHARD_BYTES = 120 * 1024;
/** All outputs of a job may take 1 MB, approximated as UTF-16. */
const MAX_MATRIX_BYTES = 900_000;

interface Bin {
  readonly indexes: number[];
  work: number;
}

/**
 * The largest first, each to the job that has least to do. The same lines give the same matrix, and lines stay in
 * their order. Throws UsageError where it would be larger than a runner takes.
 */
export function matrixOf(lines: readonly PlannedLine[], shards: number | "auto"): Matrix {
  const count = Math.min(lines.length, shards === "auto" ? MAX_SHARDS : shards);
  const works = worksOf(lines);
  const bins: Bin[] = Array.from({ length: count }, () => ({ indexes: [], work: 0 }));
  const largestFirst = [...lines.keys()].sort((a, b) => at(works, b) - at(works, a) || a - b);
  for (const index of largestFirst) {
    const bin = bins.reduce((least, each) => (isLess(each, least) ? each : least));
    bin.indexes.push(index);
    bin.work += at(works, index);
  }
  const sorted = bins.map(({ indexes }) => indexes.sort((a, b) => a - b)).sort((a, b) => at(a, 0) - at(b, 0));
  const include = sorted.map((indexes, bin) => ({
    images: indexes.map((index) => lines[index]?.line).join("\n"),
    shard: bin + 1,
  }));
  refuseTooLarge({ include }, lines.length, count);
  return { include };
}

/** What is not known counts as the mean of what is. */
function worksOf(lines: readonly PlannedLine[]): readonly number[] {
  const known = lines.flatMap(({ work }) => (work === undefined ? [] : [work]));
  const mean = known.length === 0 ? 1 : known.reduce((sum, work) => sum + work, 0) / known.length;
  // Each costs something, or all that are nothing would go to one job.
  return lines.map(({ work }) => Math.max(1, work ?? mean));
}

function isLess(a: Bin, b: Bin): boolean {
  return a.work < b.work || (a.work === b.work && a.indexes.length < b.indexes.length);
}

function refuseTooLarge(matrix: Matrix, imageCount: number, shardCount: number): void {
  const largest = Math.max(0, ...matrix.include.map(({ images }) => Buffer.byteLength(images)));
  if (largest > MAX_SHARD_BYTES) {
    throw new UsageError(
      `Cannot plan ${counted(imageCount, "image")} in ${counted(shardCount, "shard")}: the lines of one would take ${largest} bytes, and a ` +
        `runner hands over ${MAX_SHARD_BYTES}; allow more shards, up to ${MAX_SHARDS}, or plan fewer images at once`,
    );
  }
  const bytes = JSON.stringify(matrix).length * 2;
  if (bytes > MAX_MATRIX_BYTES) {
    throw new UsageError(
      `Cannot plan ${counted(imageCount, "image")} at once: their matrix would take ${bytes} bytes as UTF-16, and all outputs of ` +
        "a job may take 1 MB; plan them in several jobs",
    );
  }
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
