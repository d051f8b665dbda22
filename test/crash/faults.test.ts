/**
 * Any call that can fail fails once: reads, writes (short ones too), syncs, names; on a disk that is broken or full. A
 * seeded sample; `npm run crash -- --faults` takes every call.
 */

import { describe, expect, test } from "vitest";
import { fewScenarios, IMAGE_PATH, recordScenario } from "../support/crash-scenario.ts";
import { expectedOf, judgeWhole, recover } from "../support/crash-trial.ts";
import { sweepFaults } from "../support/fault-sweep.ts";
import { eachCut } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { UnreadableVolume } from "../support/unreadable-storage.ts";

/** Failures of each scenario. */
const TRIALS = 100;

const scenarios = await fewScenarios();
const chosen = scenarios.filter(({ name }) => !name.includes("one sector"));

describe("a call that fails: the command's word is true, and recovery works", () => {
  for (const scenario of chosen) {
    test(scenario.name, { timeout: 60_000 }, async () => {
      const { failures, outcomes } = await sweepFaults(scenario, TRIALS);
      expect(failures).toEqual([]);
      expect(outcomes.get("refused")).toBeGreaterThan(0);
      expect(outcomes.get("journal stands")).toBeGreaterThan(0);
    });
  }
});

describe("the 4 KiB around the commit can't be read after the cut", () => {
  for (const scenario of scenarios) {
    test(scenario.name, { timeout: 60_000 }, async () => {
      const { log, final } = await recordScenario(scenario);
      const expected = await expectedOf(scenario, final);
      let trials = 0;
      for (const { count, cut } of eachCut(log)) {
        const last = log.operations[count - 1];
        if (last?.kind !== "write" || last.path !== IMAGE_PATH || last.hostOffset !== 0) continue;
        for (const [seed, wish] of (["resume", "rollback", "resume", "rollback"] as const).entries()) {
          const state = cut.sample(seed < 2 ? "all-new" : "each-sector-random", seededRandom(seed));
          const recording = new RecordingVolume(state);
          const volume = new UnreadableVolume(recording, IMAGE_PATH);
          const outcome = await recover(volume, wish);
          const { format } = await judgeWhole(expected, recording.memory.snapshots() as never);
          const isThere = wish === "resume" || outcome === "closed";
          expect(outcome).not.toBe("nothing");
          expect(format).toBe(isThere ? scenario.targetFormat : scenario.sourceFormat);
          trials++;
        }
      }
      expect(trials).toBeGreaterThanOrEqual(4);
    });
  }
});
