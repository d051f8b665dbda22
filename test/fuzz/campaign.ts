/** Many mutants, one after another; the n-th of a seed is the same whatever came before it. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kitOf } from "../formats/kits.ts";
import { seededRandom } from "../support/random.ts";
import { mutate } from "./mutator.ts";
import { judge } from "./qemu-judge.ts";
import { type FuzzSample, makeFuzzSamples } from "./samples.ts";
import { type Conversion, tryMutant } from "./trial.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** The first mutant's number and one past the last one's. */
  readonly first: number;
  readonly end: number;
  /** Every how manieth accepted conversion qemu-img judges. */
  readonly judgeEvery: number;
  /** The one format to be damaged, by its name; all of them where absent. */
  readonly format?: string;
  /** Asked before each mutant. */
  readonly stop?: () => boolean;
  readonly onTrial?: (number: number, milliseconds: number, what: string) => void;
  /** Where the mutant of a failure is kept. */
  readonly keep?: string;
  readonly onFailure?: (failure: string) => void;
}

export interface CampaignResult {
  readonly tried: number;
  readonly converted: number;
  readonly judged: number;
  readonly failures: readonly string[];
  readonly outcomes: ReadonlyMap<string, number>;
  /** Bytes of the process at its largest, above what it took before the first mutant. */
  readonly memoryAbove: number;
}

/** More failures than this say nothing new. */
const MAX_FAILURES = 20;

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const samples = await makeFuzzSamples(options.format);
  const folder = await mkdtemp(join(tmpdir(), "inplace-fuzz-"));
  const failures: string[] = [];
  const outcomes = new Map<string, number>();
  let [tried, converted, judged] = [0, 0, 0];
  const floor = process.resourceUsage().maxRSS * 1024;
  try {
    for (let number = options.first; number < options.end && failures.length < MAX_FAILURES; number++) {
      if (options.stop?.()) break;
      const random = seededRandom(options.seed * 1_000_003 + number);
      const sample = random.pick(samples) as FuzzSample;
      const { bytes, story } = mutate(sample.bytes, sample.fields, random);
      const start = performance.now();
      try {
        tried++;
        const { conversion, outcomes: met } = await tryMutant(sample, bytes, random);
        for (const outcome of met) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (conversion !== undefined && converted++ % options.judgeEvery === 0 && isQemus(conversion)) {
          judged++;
          await judge(folder, conversion);
        }
      } catch (error) {
        if (options.keep !== undefined) await writeFile(options.keep, bytes);
        const told = error instanceof Error ? `${error.message}${causeOf(error)}` : String(error);
        const failure = `--seed ${options.seed} --first ${number} (${sample.name}; ${story.join("; ")}): ${told}`;
        failures.push(failure);
        options.onFailure?.(failure);
      }
      options.onTrial?.(number, performance.now() - start, `${sample.name}; ${story.join("; ")}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const memoryAbove = process.resourceUsage().maxRSS * 1024 - floor;
  return { tried, converted, judged, failures, outcomes, memoryAbove };
}

/** Whether QEMU knows both formats, so that it can judge. */
function isQemus({ sourceFormat, targetFormat }: Conversion): boolean {
  return [sourceFormat, targetFormat].every((format) => kitOf(format).qemu !== undefined);
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `\n${cause.stack}` : "";
}
