/** Walks every cut of a scenario and every outcome at it, and tells what failed so that it can be run again. */

import { recordScenario, type Scenario } from "./crash-scenario.ts";
import { expectedOf, runTrial, type Wish } from "./crash-trial.ts";
import { eachCut, OUTCOMES } from "./power-cut.ts";
import { seededRandom } from "./random.ts";

export interface Tally {
  states: number;
  secondCrashes: number;
  operations: number;
}

export function newTally(): Tally {
  return { states: 0, secondCrashes: 0, operations: 0 };
}

/** What recovery is asked for, once or cut off and asked again. */
export const WISHES: readonly (readonly [Wish] | readonly [Wish, Wish])[] = [
  ["resume"],
  ["rollback"],
  ["resume", "resume"],
  ["rollback", "rollback"],
  ["resume", "rollback"],
  ["rollback", "resume"],
];
/** Failures worth printing; the rest is more of the same. */
const MAX_FAILURES = 5;

/**
 * At least `stateCount` states, spread evenly over cuts, outcomes and wishes; `sampled`: so many by chance, where there
 * are more pairs of cut and outcome than that. Returns what failed, at most a few.
 */
export async function sweepScenario(
  scenario: Scenario,
  stateCount: number,
  seed: number,
  tally: Tally,
  { sampled = false } = {},
): Promise<string[]> {
  const { log, final } = await recordScenario(scenario);
  const expected = await expectedOf(scenario, final);
  const cutCount = log.operations.length + 1;
  const rounds = Math.ceil(stateCount / (cutCount * OUTCOMES.length));
  const failures: string[] = [];
  const chosen = seededRandom(seed);
  const share = sampled ? stateCount / (cutCount * OUTCOMES.length) : 1;
  tally.operations += cutCount;
  for (const { count, cut } of eachCut(log)) {
    for (const [at, outcome] of OUTCOMES.entries()) {
      if (!chosen.chance(share)) continue;
      for (let round = 0; round < rounds; round++) {
        const trialSeed = ((seed * 1009 + count) * 31 + at) * 101 + round;
        const random = seededRandom(trialSeed);
        const wishes = WISHES[(count + at + round) % WISHES.length] as readonly [Wish];
        const state = cut.sample(outcome, random);
        tally.states++;
        if (wishes.length > 1) tally.secondCrashes++;
        try {
          await runTrial(expected, state, wishes, random);
        } catch (error) {
          const after = log.operations[count - 1];
          const where = after ? `${after.kind} ${"path" in after ? after.path : ""}` : "the start";
          failures.push(
            `${scenario.name}: cut ${count} after ${where}, ${outcome}, ${wishes.join(" then ")}, seed ${trialSeed}: ${text(error)}`,
          );
          if (failures.length >= MAX_FAILURES) return failures;
        }
      }
    }
  }
  return failures;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
