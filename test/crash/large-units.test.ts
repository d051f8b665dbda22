/** Power cuts of conversions from formats whose units are so large that each state takes long: a seeded sample. */

import { describe, expect, test } from "vitest";
import { pairs, smallPairs } from "../formats/kits.ts";
import { kitScenario } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

const STATE_COUNT = 24;
const SEED = 2_011;

const scenarios = pairs.filter((pair) => !smallPairs.includes(pair)).map(kitScenario);

describe("every state that a cut leaves is a whole image, and recovery ends where it was asked to, or says that it can't", () => {
  test.each(scenarios)("$name", async (scenario) => {
    const tally = newTally();
    expect(await sweepScenario(scenario, STATE_COUNT, SEED, tally, { sampled: true })).toEqual([]);
    expect(tally.states).toBeGreaterThan(STATE_COUNT / 2);
    expect(tally.secondCrashes).toBeGreaterThan(tally.states / 4);
  });
});
