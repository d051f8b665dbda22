/**
 * Power cuts of conversions of several steps, over real cycles and with next to no space: tens of thousands of states,
 * no two alike, each a whole image, also those that a cut recovery leaves; hundreds of them by qemu-img too.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Expected, judgeWhole } from "../support/crash-trial.ts";
import { newDistinctTally, sweepDistinct } from "../support/distinct-sweep.ts";
import { pathScenarios } from "../support/path-scenarios.ts";
import type { DiskState } from "../support/power-cut.ts";
import { assertGuest, run } from "../support/qemu-tools.ts";

/** All states of the suite; `npm run crash -- --paths --states N --seed N` runs any number. */
const STATE_COUNT = 40_000;
const SEED = 40_111;
/** Of each scenario; in some there are not so many. */
const STATES = 1_750;
const RECOVERIES = 5;
const EVERY = 150;

const scenarios = await pathScenarios();
const total = newDistinctTally();
let asked = 0;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-path-states-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(expected: Expected, state: DiskState): Promise<void> {
  const [image, guest] = [join(folder, "disk.img"), join(folder, "guest.raw")];
  const { format, bytes } = await judgeWhole(expected, state);
  await writeFile(image, bytes);
  await writeFile(guest, expected.guest);
  await assertGuest(image, format, guest);
  // Of flags alone, where a snapshot shares what moves: `judgeWhole` knows them apart.
  if (format === "qcow2" && !expected.scenario.isShared)
    await run("qemu-img", ["check", "-q", "-f", format, image]).catch(leaksOnly);
  asked++;
}

/** Exit code 3: leaks, which there may be. */
function leaksOnly(error: Error): void {
  if ((error.cause as { readonly code?: number }).code !== 3) throw error;
}

describe("every state that a cut of a path leaves is a whole image", () => {
  test.each(scenarios.map((scenario, index) => ({ scenario, index, name: scenario.name })))(
    "$name",
    async ({ scenario, index }) => {
      const sweep = { states: STATES, recoveries: RECOVERIES, seed: SEED + index, asked: { every: EVERY, ask } };
      await sweepDistinct(scenario, sweep, total);
    },
  );
});

test("they are as many as they should be", () => {
  const { states, secondCrashes, images, recoveries } = total;
  console.log(
    `${states} states of paths, ${secondCrashes} of second crashes, ${images} images, ${recoveries} recoveries, ${asked} by qemu-img`,
  );
  expect(states).toBeGreaterThanOrEqual(STATE_COUNT);
  expect(secondCrashes).toBeGreaterThanOrEqual(states / 3);
  expect(asked).toBeGreaterThanOrEqual(200);
});
