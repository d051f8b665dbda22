/** Power cuts of every conversion from and to a format that is new: each cut and outcome, with every wish for recovery. */

import { describe, expect, test, vi } from "vitest";
import { kitOf } from "../formats/kits.ts";
import { crashScenarios } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

vi.mock("../../src/formats/drivers.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../src/formats/targets.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyTarget(await original()),
);
vi.mock("../formats/list.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyKit(await original()),
);

const between = (await crashScenarios()).filter(({ sourceFormat, targetFormat }) =>
  [sourceFormat, targetFormat].includes("toy"),
);
const toy = kitOf("toy");
const itself = {
  name: "toy to toy, larger blocks, units moved, undo kept",
  image: toy.source?.shuffled().bytes as Uint8Array,
  sourceFormat: "toy",
  targetFormat: "toy",
  options: { options: { ...toy.target?.unlikeDefault }, keepUndo: true },
};

describe("toys, cut anywhere, are whole images", () => {
  test("each way there is", () => {
    const ways = between.map(({ sourceFormat, targetFormat }) => `${sourceFormat} ${targetFormat}`);
    expect(ways.sort()).toEqual(["qcow2 toy", "toy qcow2"]);
  });

  test.each([...between, itself])("$name", async (scenario) => {
    const tally = newTally();
    expect(await sweepScenario(scenario, 500, 9, tally)).toEqual([]);
    expect(tally.states).toBeGreaterThanOrEqual(500);
  });
});
