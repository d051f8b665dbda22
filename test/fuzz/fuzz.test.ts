/** A seeded sample of the campaign; `npm run fuzz` goes on for as long as wanted. */

import { expect, it } from "vitest";
import { runCampaign } from "./campaign.ts";

const MiB = 2 ** 20;

it("hostile images are refused by name or converted with the same guest (200 mutants)", async () => {
  const result = await runCampaign({ seed: 11, first: 0, end: 200, judgeEvery: 2 });
  expect(result.failures).toEqual([]);
  // The sample means something only as long as it reaches every ending.
  expect(result.converted).toBeGreaterThan(30);
  expect(result.judged).toBeGreaterThan(5);
  for (const outcome of ["convert: corrupt", "convert: unsupported", "map: corrupt", "checksum: done", "check: done"]) {
    expect(result.outcomes.get(outcome), outcome).toBeGreaterThan(5);
  }
  // The harness's own copies of each image are among it; what one hostile image takes is measured by itself.
  expect(result.memoryAbove).toBeLessThan(512 * MiB);
});
