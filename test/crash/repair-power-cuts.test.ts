/** Power cuts over repairs, in the model of docs/how-it-works.md: at every operation, with every kind of outcome. */

import { describe, expect, test } from "vitest";
import { repairScenarios } from "../support/repair-scenarios.ts";
import { newRepairTally, sweepRepair } from "../support/repair-trial.ts";

const STATE_COUNT = 1_700;
const SEED = 1_130;

const scenarios = repairScenarios();
const total = newRepairTally();

describe("every state that a cut leaves shows the same guest; resume mends it, rollback gives the old bytes", () => {
  for (const [index, scenario] of scenarios.entries()) {
    test(scenario.name, { timeout: 120_000 }, async () => {
      const failures = await sweepRepair(scenario, Math.ceil(STATE_COUNT / scenarios.length), SEED + index, total);
      expect(failures).toEqual([]);
    });
  }
});

test("they are as many as they should be", () => {
  expect(total.states).toBeGreaterThanOrEqual(STATE_COUNT);
  expect(total.secondCrashes).toBeGreaterThanOrEqual(total.states / 4);
  expect([...total.outcomes.keys()].sort()).toEqual(["done", "given up", "nothing"]);
  console.log(`${total.states} states of repairs, ${total.secondCrashes} with a second crash`);
});
