/** A seeded sample of a scenario's cuts, each recovered in one of three ways by turns. */

import type { Scenario } from "./crash-scenario.ts";
import { type Expected, runTrial, type Wish } from "./crash-trial.ts";
import { eachCut, OUTCOMES } from "./power-cut.ts";
import { seededRandom } from "./random.ts";

/** About `most` of them. Throws for the first state that is not whole; answers how many were tried. */
export async function trySampledCuts(
  { name }: Scenario,
  expected: Expected,
  log: Parameters<typeof eachCut>[0],
  most: number,
): Promise<number> {
  const random = seededRandom(name.length);
  const cuts = [...eachCut(log)].length;
  const step = Math.ceil(cuts / most);
  let count = 0;
  for (const { count: at, cut } of eachCut(log)) {
    if (at % step !== 0) continue;
    const outcome = random.pick(OUTCOMES);
    const wishes = (count % 3 === 2 ? ["resume", "rollback"] : [count % 3 === 1 ? "rollback" : "resume"]) as [Wish];
    await runTrial(expected, cut.sample(outcome, random), wishes, random).catch((cause) => {
      throw new Error(`cut ${at} of ${cuts}, ${outcome}, ${wishes.join(" ")}: ${cause.message}`, { cause });
    });
    count++;
  }
  return count;
}
