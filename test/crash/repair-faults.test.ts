/** Repairs in which one call fails, or a torn header can't be read: the command's word is true, and recovery works. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { IMAGE_PATH } from "../support/crash-scenario.ts";
import { type CallKind, FailingVolume, type Failure } from "../support/failing-volume.ts";
import { cutAfter, type DiskState, eachCut } from "../support/power-cut.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { repairScenarios } from "../support/repair-scenarios.ts";
import {
  expectedOfRepair,
  judgeRepaired,
  performRepair,
  type RepairExpected,
  recordRepair,
  recoverRepaired,
  type Wish,
} from "../support/repair-trial.ts";
import { UnreadableVolume } from "../support/unreadable-storage.ts";

const KINDS: readonly CallKind[] = [
  "open",
  "read",
  "write",
  "resize",
  "sync",
  "create",
  "rename",
  "remove",
  "syncFolder",
];
const WAYS: readonly Pick<Failure, "code" | "isLasting" | "leaves">[] = [
  { code: "EIO", leaves: "half" },
  { code: "EIO", leaves: "all" },
  { code: "ENOSPC" },
  { code: "ENOSPC", isLasting: true, leaves: "half" },
];

const scenarios = repairScenarios();

type Outcome = "unharmed" | "refused" | "put back" | "journal stands";

/** Throws where the command's word is wrong: exit 1 means the old bytes, exit 4 a journal that recovers. */
async function runFault(expected: RepairExpected, failure: Failure, wish: Wish, random: Random): Promise<Outcome> {
  const { scenario } = expected;
  const { bytes } = scenario.damaged;
  const recording = new RecordingVolume({ [IMAGE_PATH]: bytes });
  const failing = new FailingVolume(recording, failure);
  const error = await performRepair(scenario, failing).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (failing.struck.length === 0) return "unharmed";
  if (failing.retriedSyncCount > 0) throw new Error("a failed sync was tried again");
  const live = recording.memory.snapshots() as DiskState;
  await judgeRepaired(expected, live);
  if (error === undefined) return "unharmed";
  if (!(error instanceof ImageError)) throw error;
  const isSync = failure.kind === "sync" || failure.kind === "syncFolder";
  const stands = error.journal !== undefined || (isSync && Object.keys(live).some((path) => path.endsWith("-journal")));
  if (!stands) {
    if (Buffer.compare(live[IMAGE_PATH] as Uint8Array, bytes) !== 0) {
      throw new Error(`exit 1, but the image changed: ${error.message}`);
    }
    return error.rolledBack ? "put back" : "refused";
  }
  // After a failed sync the disk is any subset of what was written since the last good one.
  const state = isSync
    ? cutAfter(recording.log, recording.operations.length).sample("each-sector-random", random)
    : live;
  await judgeRepaired(expected, state);
  const volume = new RecordingVolume(state);
  const outcome = await recoverRepaired(scenario, volume, wish);
  const end = await judgeRepaired(expected, volume.memory.snapshots() as DiskState);
  const isOld = Buffer.compare(end, bytes) === 0;
  if (outcome === "done" && (wish === "rollback") !== isOld) throw new Error(`${wish} ended elsewhere`);
  return "journal stands";
}

describe("a call that fails: the command's word is true, and recovery works", () => {
  for (const scenario of scenarios) {
    test(scenario.name, { timeout: 60_000 }, async () => {
      const expected = await expectedOfRepair(scenario);
      const counting = new FailingVolume(new RecordingVolume({ [IMAGE_PATH]: scenario.damaged.bytes }));
      await performRepair(scenario, counting);
      const outcomes = new Map<Outcome, number>();
      const failures: string[] = [];
      for (const kind of KINDS) {
        for (let nth = 1; nth <= counting.count(kind); nth++) {
          // Reads are many and alike.
          for (const [at, way] of WAYS.slice(0, kind === "read" ? 1 : WAYS.length).entries()) {
            const wish = (nth + at) % 2 === 0 ? "resume" : "rollback";
            try {
              const outcome = await runFault(expected, { kind, nth, ...way }, wish, seededRandom(nth * 31 + at));
              outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
            } catch (error) {
              failures.push(`${kind} ${nth} ${JSON.stringify(way)} then ${wish}: ${(error as Error).message}`);
            }
          }
        }
      }
      expect(failures).toEqual([]);
      for (const outcome of ["refused", "put back", "journal stands"] as const) {
        expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
      }
    });
  }
});

/** In smaller clusters other things share the block, and only what a repair overwrites is in its journal. */
const hasHeaderBlock = ({ damaged }: (typeof scenarios)[number]) => damaged.bytes.readUInt32BE(20) >= 12;

describe("the header's block can't be read after the cut", () => {
  for (const scenario of scenarios.filter(hasHeaderBlock)) {
    test(scenario.name, async () => {
      const log = await recordRepair(scenario);
      const expected = await expectedOfRepair(scenario);
      let trials = 0;
      for (const { count, cut } of eachCut(log)) {
        const last = log.operations[count - 1];
        if (last?.kind !== "write" || last.path !== IMAGE_PATH || last.hostOffset !== 0) continue;
        for (const [seed, wish] of (["resume", "rollback", "resume", "rollback"] as const).entries()) {
          const state = cut.sample(seed < 2 ? "all-new" : "each-sector-random", seededRandom(seed));
          const recording = new RecordingVolume(state);
          const outcome = await recoverRepaired(scenario, new UnreadableVolume(recording, IMAGE_PATH), wish);
          expect(outcome).toBe("done");
          const end = await judgeRepaired(expected, recording.memory.snapshots() as DiskState);
          expect(Buffer.compare(end, scenario.damaged.bytes) === 0).toBe(wish === "rollback");
          trials++;
        }
      }
      expect(trials).toBeGreaterThanOrEqual(4);
    });
  }
});
