/** Power cuts over the replay of a VHDX's log: every state shows the guest as it is once all is replayed. */

import { expect, test } from "vitest";
import { buildDirty } from "../formats/vhdx/dirty.ts";
import { newRepairTally, type RepairScenario, sweepRepair } from "../support/repair-trial.ts";

/** None is shorter than 5 MiB, so that each state takes long: of all that cuts leave, every so manieth. */
const EVERY = 7;
const DISK = { virtualSize: 8192, data: [0, 1] };

const scenarios: readonly RepairScenario[] = [
  { name: "in place", options: { repair: "all" }, shape: { done: 1 } },
  {
    name: "a file that grows, undo kept",
    options: { repair: "leaks", keepUndo: true },
    shape: { isShort: true, hasMetadata: true },
  },
].map(({ name, options, shape }) => ({
  name,
  options: options as RepairScenario["options"],
  damaged: { name, bytes: Buffer.from(buildDirty(shape, DISK).bytes), plan: undefined },
}));

test.each(scenarios)("$name", { timeout: 120_000 }, async (scenario) => {
  const tally = newRepairTally();
  expect(await sweepRepair(scenario, 1, 2_018, tally, EVERY)).toEqual([]);
  expect(tally.states).toBeGreaterThan(25);
  expect(tally.secondCrashes).toBeGreaterThan(tally.states / 8);
});
