/** What the whole step came to, for everything that is told about it: outputs, report, page, summary. */

import type { Mode } from "../inputs/inputs.ts";
import type { ShardNumber } from "../inputs/shard-number.ts";
import type { ImageResult } from "./image-result.ts";
import type { Provenance } from "./provenance.ts";

/** `mode: plan`: the jobs that do the work. */
export interface Matrix {
  /** What `fromJSON` takes as `strategy.matrix`. */
  readonly include: readonly Shard[];
}

export interface Shard {
  /** Lines as the input `image` takes them, joined by line breaks. */
  readonly images: string;
  /** From 1. */
  readonly shard: number;
}

export interface StepResult {
  readonly mode: Mode;
  /** Undefined where nothing is converted, and in `collect`, where each report says its own. */
  readonly targetFormat: string | undefined;
  /** Nothing was written, by `dry-run` or by `mode: plan`. */
  readonly dryRun: boolean;
  readonly results: readonly ImageResult[];
  readonly provenance: Provenance;
  /** Of `mode: plan`. */
  readonly matrix?: Matrix;
  /** Which job of a plan's matrix this is. */
  readonly shard?: ShardNumber;
  /** Of `mode: collect`: of which no report was found. */
  readonly missingShards?: readonly number[];
}
