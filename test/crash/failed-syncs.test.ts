/** The cache that lies: a sync fails, recovery runs before any restart and believes nothing that it only read. */

import { describe, expect, test } from "vitest";
import { fewScenarios } from "../support/crash-scenario.ts";
import { conversionSubject, repairSubject } from "../support/live-subjects.ts";
import { type LiveTally, type Subject, sweepLiveView } from "../support/live-view.ts";
import { repairScenarios } from "../support/repair-scenarios.ts";

/** Recoveries whose own sync fails, for each scenario; `npm run crash -- --live` takes any number. */
const CHAIN_COUNT = 4;
/** Of these and of each sync of the first run. */
const SHARE = 0.35;
const SEED = 8_001;

const total: LiveTally = { chains: 0, states: 0 };
let subjectCount = 0;
const subjects: Subject[] = [];
for (const scenario of await fewScenarios()) subjects.push(await conversionSubject(scenario));
for (const scenario of repairScenarios()) subjects.push(await repairSubject(scenario));

describe("after a failed sync, recovered on the live view, every cut leaves a whole image", () => {
  for (const [index, subject] of subjects.entries()) {
    test(subject.name, { timeout: 120_000 }, async () => {
      subjectCount++;
      expect(await sweepLiveView(subject, CHAIN_COUNT, SEED + index, total, SHARE)).toEqual([]);
    });
  }
});

test("they are as many as they should be", () => {
  expect(total.chains).toBeGreaterThanOrEqual(subjectCount * 6);
  console.log(`${total.chains} failed syncs, ${total.states} states after recovery on the live view`);
});
