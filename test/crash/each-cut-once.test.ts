/** Power cuts of a few conversions and repairs, each cut and outcome once: so quick that `npm run mutate` can afford it. */

import { describe, expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { rollback } from "../../src/convert/recover.ts";
import { fewOf, kitOf, smallPairs } from "../formats/kits.ts";
import { crashScenarios, IMAGE_PATH, testHost } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";
import { expectedOf, judgeWhole, recover } from "../support/crash-trial.ts";
import { eachCut, OUTCOMES } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { repairScenarios } from "../support/repair-scenarios.ts";
import { newRepairTally, sweepRepair } from "../support/repair-trial.ts";

const CONVERSIONS = [
  "qed to qcow2, tiny",
  "qcow2 to qed, tiny",
  "qed to qcow2, undo kept",
  "qed to qcow2, backing name moved out of sector 0",
  "qed to qcow2, larger clusters, units moved",
  "qed to qcow2, journal elsewhere",
  ...fewOf(smallPairs).map(({ from, to }) => `${from.name} to ${to.name}, its kit's image`),
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

  const ofOneSwitch = conversions.filter(({ targetFormat }) => !kitOf(targetFormat).target?.needsFront);
  test.each(ofOneSwitch)("the way back over a kept undo: $name", async (scenario) => {
    const { image, targetFormat, options } = scenario;
    const volume = new RecordingVolume({ [IMAGE_PATH]: image });
    await convert(IMAGE_PATH, targetFormat, { ...options, keepUndo: true }, testHost(volume));
    const expected = await expectedOf(scenario, volume.memory.snapshot(IMAGE_PATH));
    const back = new RecordingVolume(volume.memory.snapshots());
    await rollback(IMAGE_PATH, {}, testHost(back));
    for (const { count, cut } of eachCut(back.log)) {
      for (const [at, outcome] of OUTCOMES.entries()) {
        const state = cut.sample(outcome, seededRandom(SEED + 31 * count + at));
        await judgeWhole(expected, state);
        const again = new RecordingVolume(state);
        await recover(again, "rollback");
        const { [IMAGE_PATH]: end, ...beside } = again.memory.snapshots();
        expect(Buffer.compare(end as Uint8Array, image), `cut ${count}, ${outcome}`).toBe(0);
        // A journal elsewhere that nobody points at any more harms nobody.
        const left = Object.keys(beside).filter((path) => !path.includes("elsewhere"));
        expect(left, `cut ${count}, ${outcome}`).toEqual([]);
      }
    }
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
