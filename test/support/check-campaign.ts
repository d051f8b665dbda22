/** Many damaged images, judged by qemu-img and by us; the n-th of a seed is the same whatever came before it. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Verdict } from "../formats/check-verdict.ts";
import type { FieldMap } from "../formats/field-map.ts";
import type { CheckSample, FormatKit } from "../formats/kit.ts";
import { checked } from "../formats/kits.ts";
import { mutate } from "../fuzz/mutator.ts";
import { differencesOf } from "./check-differences.ts";
import { differenceOf, ourVerdict, qemuVerdict } from "./check-judge.ts";
import { seededRandom } from "./random.ts";

export interface CheckCampaignOptions {
  readonly seed: number;
  /** The first mutant's number and one past the last one's. */
  readonly first: number;
  readonly end: number;
  readonly onTrial?: (number: number) => void;
}

/** How outcomes begin that differ as we mean them to. */
export const KNOWN = "differs as meant: ";

export interface Disagreement {
  readonly number: number;
  readonly sample: string;
  readonly story: readonly string[];
  readonly difference: string;
}

export interface CheckCampaignResult {
  /** How many mutants ended in which way. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly disagreements: readonly Disagreement[];
}

/** Each of the machine's two cores has one to run. */
const WORKERS = 2;
/** Most damage to a header is refused by both sides, which says little. */
const HEADER_CHANCE = 0.12;
const LARGE_BYTES = 2 ** 20;
/** The human text says what the numbers say, so a part of the mutants is enough. */
const TEXT_EVERY = 4;

export async function runCheckCampaign(options: CheckCampaignOptions): Promise<CheckCampaignResult> {
  const folder = await mkdtemp(join(tmpdir(), "inplace-check-"));
  const outcomes = new Map<string, number>();
  const disagreements: Disagreement[] = [];
  try {
    const samples = await makeBreakables(folder);
    let next = options.first;
    const work = async (worker: number) => {
      const path = join(folder, `mutant-${worker}`);
      while (next < options.end) {
        const number = next++;
        const trial = await tryOne(path, samples, options.seed, number);
        outcomes.set(trial.outcome, (outcomes.get(trial.outcome) ?? 0) + 1);
        if (trial.disagreement !== undefined) disagreements.push(trial.disagreement);
        options.onTrial?.(number);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  } finally {
    await rm(folder, { recursive: true });
  }
  return { outcomes, disagreements: disagreements.sort((a, b) => a.number - b.number) };
}

interface Trial {
  readonly outcome: string;
  readonly disagreement?: Disagreement;
}

/** A sample with its fields found. */
export interface Breakable {
  readonly kit: FormatKit;
  readonly sample: CheckSample;
  readonly fields: FieldMap;
}

/** Of each format that is checked, in the order of names; the numbers of mutants depend on it. */
async function makeBreakables(folder: string): Promise<readonly Breakable[]> {
  const breakables: Breakable[] = [];
  for (const kit of checked.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const sample of await kit.check.samples(folder)) {
      const fields = kit.fieldSites?.(sample.bytes);
      if (fields !== undefined) breakables.push({ kit, sample, fields });
    }
  }
  return breakables;
}

export function mutantOf(samples: readonly Breakable[], seed: number, number: number) {
  const random = seededRandom(seed * 1_000_003 + number);
  let { kit, sample, fields } = random.pick(samples);
  // Large files take long to copy and show little that small ones do not.
  if (sample.bytes.length > LARGE_BYTES && random.chance(0.7)) ({ kit, sample, fields } = samples[0] as Breakable);
  return { kit, sample, ...mutate(sample.bytes, random.chance(HEADER_CHANCE) ? fields : tablesOf(fields), random) };
}

async function tryOne(path: string, samples: readonly Breakable[], seed: number, number: number): Promise<Trial> {
  const { kit, sample, bytes, story } = mutantOf(samples, seed, number);
  await writeFile(path, bytes);
  const words = sample.openWords.map((word) => word.replace("IMAGE", path));
  const [theirs, ours] = await Promise.all([qemuVerdict(words, number % TEXT_EVERY === 0), ourVerdict(kit, bytes)]);
  const difference = differenceOf(theirs, ours);
  if (difference === undefined) return { outcome: outcomeOf(theirs) };
  const known = differencesOf(kit).find((difference) => difference.isIt({ bytes, theirs, ours }));
  if (known !== undefined) return { outcome: `${KNOWN}${known.name}` };
  return { outcome: "disagreement", disagreement: { number, sample: sample.name, story, difference } };
}

const TABLE_WORDS = /entry|refcount$|snapshot$|subcluster|bitmap table/;

/** What lies outside the header: tables, refcounts, snapshots. */
function tablesOf(fields: FieldMap): FieldMap {
  return { ...fields, sites: new Map([...fields.sites].filter(([word]) => TABLE_WORDS.test(word))) };
}

function outcomeOf({ numbers, exitCode }: Verdict): string {
  return numbers === undefined ? "refused by both" : `exit ${exitCode}`;
}
