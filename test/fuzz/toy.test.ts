/** The campaign on toys alone: what a new format has to stand. */

import { expect, it, vi } from "vitest";
import { runCampaign } from "./campaign.ts";

vi.mock("../../src/formats/drivers.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../src/formats/targets.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyTarget(await original()),
);
vi.mock("../formats/list.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyKit(await original()),
);

it("hostile toys are refused by name or converted with the same guest (300 mutants)", async () => {
  const result = await runCampaign({ seed: 12, first: 0, end: 300, judgeEvery: 1, format: "toy" });
  expect(result.failures).toEqual([]);
  expect(result.converted).toBeGreaterThan(30);
  for (const outcome of ["convert: corrupt", "map: corrupt", "checksum: done", "check: done"]) {
    expect(result.outcomes.get(outcome), outcome).toBeGreaterThan(5);
  }
});
