/** Power cuts of conversions whose commit is not the file's first sector: each cut and outcome, with every wish for recovery. */

import { describe, expect, test, vi } from "vitest";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";
import { buildToyElsewhere } from "../support/toy-elsewhere.ts";

vi.mock("../../src/formats/drivers.ts", async (original) => {
  const { toyElsewhere } = await import("../support/toy-elsewhere.ts");
  const { formatDrivers } = await original<typeof import("../../src/formats/drivers.ts")>();
  return { formatDrivers: [...formatDrivers.slice(0, -1), toyElsewhere, ...formatDrivers.slice(-1)] };
});
vi.mock("../../src/formats/targets.ts", async (original) => {
  const { toyElsewhereTarget } = await import("../support/toy-elsewhere.ts");
  const { formatTargets } = await original<typeof import("../../src/formats/targets.ts")>();
  return { formatTargets: { ...formatTargets, toy: toyElsewhereTarget } };
});
vi.mock("../formats/list.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyKit(await original()),
);

const scenario = {
  image: buildToyElsewhere(),
  sourceFormat: "toy",
  targetFormat: "toy",
  options: { options: { block_size: "16k" } },
};

describe("a commit in another sector than the first", () => {
  test.each([
    { ...scenario, name: "finished" },
    { ...scenario, name: "undo kept", options: { ...scenario.options, keepUndo: true } },
  ])("$name", async (each) => {
    const tally = newTally();
    expect(await sweepScenario(each, 700, 11, tally)).toEqual([]);
    expect(tally.states).toBeGreaterThanOrEqual(700);
  });
});
