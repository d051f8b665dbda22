/** Power cuts in the model of docs/how-it-works.md: a seeded sample of every operation and outcome; `npm run crash` takes all. */

import { describe, expect, test } from "vitest";
import { crashScenarios } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

/** All states of the suite, beside the 40,000 of path-states.test.ts; `npm run crash -- --states N --seed N` runs any number. */
const STATE_COUNT = 2_600;
const SEED = 20_111;

const scenarios = await crashScenarios();
const total = newTally();

describe("every state that a cut leaves is a whole image, and recovery ends where it was asked to", () => {
  for (const [index, scenario] of scenarios.entries()) {
    test(scenario.name, { timeout: 120_000 }, async () => {
      const share = Math.ceil(STATE_COUNT / scenarios.length);
      expect(await sweepScenario(scenario, share, SEED + index, total, { sampled: true })).toEqual([]);
    });
  }
});

test("they are as many as they should be", () => {
  // By chance, so that it may be somewhat fewer.
  expect(total.states).toBeGreaterThanOrEqual(0.9 * STATE_COUNT);
  expect(total.secondCrashes).toBeGreaterThanOrEqual(total.states / 4);
  console.log(`${total.states} states, ${total.secondCrashes} with a second crash, ${total.operations} operations cut`);
});
