/** Power cuts of a few conversions and repairs, each cut and outcome once: so quick that `npm run mutate` can afford it. */

import { describe, expect, test } from "vitest";
import { crashScenarios } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";
import { repairScenarios } from "../support/repair-scenarios.ts";
import { newRepairTally, sweepRepair } from "../support/repair-trial.ts";

const CONVERSIONS = [
  "qed to qcow2, tiny",
  "qcow2 to qed, tiny",
  "qed to qcow2, undo kept",
  "qed to qcow2, backing name moved out of sector 0",
  "qed to qcow2, larger clusters, units moved",
  "qed to qcow2, journal elsewhere",
];
const REPAIRS = ["in place", "rebuilt", "rebuilt, undo kept"];
const SEED = 8;

const conversions = (await crashScenarios()).filter(({ name }) => CONVERSIONS.includes(name));
const repairs = repairScenarios().filter(({ name }) => REPAIRS.includes(name));

describe("each cut and outcome once", () => {
  test.each(conversions)("$name", async (scenario) => {
    const tally = newTally();
    expect(await sweepScenario(scenario, 1, SEED, tally)).toEqual([]);
    expect(tally.states).toBeGreaterThan(100);
  });

  test.each(repairs)("repair: $name", async (scenario) => {
    const tally = newRepairTally();
    expect(await sweepRepair(scenario, 1, SEED, tally)).toEqual([]);
    expect(tally.states).toBeGreaterThan(100);
  });

  test("all of them are there", () => {
    expect(conversions).toHaveLength(CONVERSIONS.length);
    expect(repairs).toHaveLength(REPAIRS.length);
  });
});
