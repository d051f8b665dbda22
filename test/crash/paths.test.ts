/**
 * Conversions of several steps, cut, failed and used in between: power cuts, calls that fail, syncs that fail, a header
 * that can't be read any more, and a guest that writes before the recovery. Seeded samples; `npm run crash` takes all.
 */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { IMAGE_PATH, recordScenario, testHost } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";
import { expectedOf, judgeWhole, recover } from "../support/crash-trial.ts";
import { type CallKind, FailingVolume, type Failure } from "../support/failing-volume.ts";
import { runFault } from "../support/fault-trial.ts";
import { conversionSubject } from "../support/live-subjects.ts";
import { sweepLiveView } from "../support/live-view.ts";
import { pathScenarios } from "../support/path-scenarios.ts";
import { eachCut } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { UnreadableVolume } from "../support/unreadable-storage.ts";
import { useBetween } from "../support/used-between.ts";

const SEED = 10_111;
const CUTS = 7;
const FAULTS = 6;
const USES = 4;
const KINDS: readonly CallKind[] = ["read", "write", "resize", "punch", "sync", "create", "rename", "remove"];
const WAYS: readonly Pick<Failure, "code" | "isLasting" | "leaves">[] = [
  { code: "EIO" },
  { code: "EIO", leaves: "all" },
  { code: "ENOSPC", isLasting: true, leaves: "half" },
];
/** Each recovery of a failed sync is cut at all its operations. */
const FAILED_SYNCS = [
  "raw to qcow2",
  "qcow2 to raw, one long cycle, one spare",
  "vpc to qed",
  "raw to vpc, grown",
  "qed to vmdk",
];

const run = promisify(execFile);
const scenarios = await pathScenarios();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-paths-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(scenarios.map((scenario, index) => ({ ...scenario, index })))("$name", (scenario) => {
  const seed = SEED + scenario.index;

  test("cut anywhere it is a whole image, and recovery ends where it was asked to", { timeout: 60_000 }, async () => {
    expect(await sweepScenario(scenario, CUTS, seed, newTally(), { sampled: true })).toEqual([]);
  });

  test("a call that fails: the command's word is true, and recovery works", { timeout: 60_000 }, async () => {
    const expected = await expectedOf(scenario, (await recordScenario(scenario)).final);
    const counting = new FailingVolume(new RecordingVolume({ [IMAGE_PATH]: scenario.image }));
    await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(counting));
    const random = seededRandom(seed);
    const kinds = KINDS.filter((kind) => counting.count(kind) > 0);
    for (let turn = 0; turn < FAULTS; turn++) {
      const kind = random.pick(kinds);
      const failure = { kind, nth: 1 + random.below(counting.count(kind)), ...random.pick(WAYS) };
      const wish = random.pick(["resume", "rollback"] as const);
      await runFault(expected, failure, wish, random).catch((error: Error) => {
        throw new Error(`${JSON.stringify(failure)} then ${wish}: ${error.message}`, { cause: error });
      });
    }
  });

  test("the 4 KiB around its header can't be read after the cut", { timeout: 60_000 }, async () => {
    const { log, final } = await recordScenario(scenario);
    const expected = await expectedOf(scenario, final);
    for (const { count, cut } of eachCut(log)) {
      const last = log.operations[count - 1];
      if (last?.kind !== "write" || last.path !== IMAGE_PATH || last.hostOffset >= 4096) continue;
      for (const [turn, wish] of (["resume", "rollback"] as const).entries()) {
        const state = cut.sample(turn === count % 2 ? "all-new" : "each-sector-random", seededRandom(seed + count));
        const recording = new RecordingVolume(state);
        const outcome = await recover(new UnreadableVolume(recording, IMAGE_PATH), wish);
        expect(outcome, `cut ${count}`).not.toBe("nothing");
        const isBack = wish === "rollback" && outcome === "done";
        const end = await judgeWhole(expected, recording.memory.snapshots() as never);
        expect(end.format, `cut ${count}`).toBe(isBack ? scenario.sourceFormat : scenario.targetFormat);
      }
    }
  });

  test("what a guest writes between crash and recovery stays", { timeout: 60_000 }, async () => {
    // Its journal lies outside the folder, as ever.
    const { log } = await recordScenario(scenario);
    const random = seededRandom(seed);
    const picked = new Set(Array.from({ length: USES }, () => random.below(log.operations.length + 1)));
    const write = async (bytes: Uint8Array, words: readonly string[]): Promise<Uint8Array> => {
      const path = join(folder, "disk.img");
      await writeFile(path, bytes);
      await run("qemu-io", [...words, path]);
      return new Uint8Array(await readFile(path));
    };
    for (const { count, cut } of eachCut(log)) {
      if (picked.has(count)) expect(await useBetween(scenario, cut, random, write), `cut ${count}`).toBe("");
    }
  });
});

describe("after a failed sync, recovered on the live view, every cut leaves a whole image", () => {
  const chosen = scenarios.filter(({ name }) => FAILED_SYNCS.includes(name));
  test.each(chosen)("$name", { timeout: 60_000 }, async (scenario) => {
    const tally = { chains: 0, states: 0 };
    expect(await sweepLiveView(await conversionSubject(scenario), 4, SEED, tally, 0.06)).toEqual([]);
    expect(tally.states).toBeGreaterThan(0);
  });
});
