/** Power cuts in the model of docs/how-it-works.md: a stratified, seeded sample of every operation and outcome. */

import { afterAll, describe, expect, test } from "vitest";
import { crashScenarios } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

/** All states of the suite, beside the 40,000 of path-states.test.ts; `npm run crash -- --states N --seed N` runs any number. */
const STATE_COUNT = 4_000;
const SEED = 20_111;

const scenarios = await crashScenarios();
const total = newTally();

describe("every state that a cut leaves is a whole image, and recovery ends where it was asked to", () => {
  for (const [index, scenario] of scenarios.entries()) {
    test(scenario.name, { timeout: 120_000 }, async () => {
      const failures = await sweepScenario(scenario, Math.ceil(STATE_COUNT / scenarios.length), SEED + index, total);
      expect(failures).toEqual([]);
    });
  }
});

afterAll(() => {
  expect(total.states).toBeGreaterThanOrEqual(STATE_COUNT);
  expect(total.secondCrashes).toBeGreaterThanOrEqual(total.states / 4);
  console.log(`${total.states} states, ${total.secondCrashes} with a second crash, ${total.operations} operations cut`);
});
