/** A seeded sample of damaged images, checked by qemu-img and by us; `npm run mutants` goes on for as long as wanted. */

import { expect, it } from "vitest";
import { KNOWN, runCheckCampaign } from "../support/check-campaign.ts";
import { KNOWN_DIFFERENCES } from "../support/check-differences.ts";

const COUNT = 1200;

it(`damaged images are checked as qemu-img checks them, line by line (${COUNT} mutants)`, async () => {
  const { outcomes, disagreements } = await runCheckCampaign({ seed: 20, first: 0, end: COUNT });
  for (const [outcome, times] of [...outcomes].sort()) console.log(`${String(times).padStart(6)}  ${outcome}`);
  expect(disagreements).toEqual([]);
  // The sample means something only as long as it reaches every ending.
  for (const outcome of ["exit 0", "exit 1", "exit 2", "exit 3", "refused by both"]) {
    expect(outcomes.get(outcome), outcome).toBeGreaterThan(20);
  }
  for (const { name, mostInThousand } of KNOWN_DIFFERENCES) {
    expect(outcomes.get(`${KNOWN}${name}`) ?? 0, name).toBeLessThanOrEqual((mostInThousand * COUNT) / 1000);
  }
}, 300_000);
