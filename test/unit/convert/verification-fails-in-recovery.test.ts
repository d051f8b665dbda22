/** Verification that fails in `resume` and in a repair: bits flip on their way, and nothing that is wrong is left or praised. */

import { describe, expect, test } from "vitest";
import type { ImageError } from "../../../src/bytes/image-error.ts";
import { convert } from "../../../src/convert/convert.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import type { CheckReport } from "../../../src/convert/report/report.ts";
import { openImage } from "../../../src/formats/registry.ts";
import type { Image } from "../../../src/image/source.ts";
import { checkOf } from "../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { FailingVolume } from "../../support/failing-volume.ts";
import { BESIDE, type Case, endingOf, expectPutBack, guestOf, placesIn, WAYS } from "../../support/lying-trial.ts";
import { flipped, type Lies, LyingVolume } from "../../support/lying-volume.ts";
import { cutAfter, type DiskState, eachCut, OUTCOMES } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";
import { repairScenarios } from "../../support/repair-scenarios.ts";
import { withPlan } from "../../support/repair-stand-in.ts";
import { performRepair, recoverRepaired } from "../../support/repair-trial.ts";
import { UnreadableVolume } from "../../support/unreadable-storage.ts";

/** The files right after the commit became durable: what is left to do is verifying. */
async function committed({ image, to, options }: Case): Promise<DiskState> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, to, options, testHost(volume));
  let isCommitted = false;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    isCommitted ||= last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0;
    if (isCommitted && last?.kind === "sync") return cut.sample("all-new", seededRandom(1));
  }
  throw new Error("there was no commit");
}

describe.each(WAYS)("resume verifies what convert did not come to: $name", (way) => {
  test("a read lies once: put back, or left with its journal, or of no matter", async () => {
    const files = await committed(way);
    const resumed = (lies: Lies, onLying?: (lying: LyingVolume) => void) =>
      endingOf(new MemoryVolume(files), (volume) => {
        const lying = new LyingVolume(volume, IMAGE_PATH, lies);
        onLying?.(lying);
        return resume(IMAGE_PATH, {}, testHost(lying));
      });
    // Until the journal says "verified".
    let reads = 0;
    let undisturbed: LyingVolume | undefined;
    await resumed(
      {
        read() {
          // The journal is written anew before anything is believed.
          if ((undisturbed?.journalWrites ?? 0) <= 1) reads++;
        },
      },
      (lying) => {
        undisturbed = lying;
      },
    );
    const kinds = new Set<string>();
    for (let turn = 0; turn < reads; turn++) {
      for (const share of [0, 0.5]) {
        let at = 0;
        const ending = await resumed({
          read(_, bytes) {
            if (at++ !== turn || bytes.length === 0) return;
            const used = placesIn(bytes);
            bytes.set(flipped(bytes, used[Math.floor(used.length * share)] ?? 0, turn % 8));
          },
        });
        const { error, volume } = ending;
        if (error?.rolledBack) {
          expectPutBack(ending, way.image);
          kinds.add(error.kind);
        } else if (error !== undefined) {
          expect(error).toMatchObject({ journal: BESIDE.journal });
          expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
        } else {
          expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
        }
      }
    }
    expect(kinds).toContain("verification-failed");
  });
});

describe.each(repairScenarios())("a repair: $name", (scenario) => {
  const { bytes } = scenario.damaged;

  const lied = async (lies: Lies) => {
    let report: CheckReport | undefined;
    const ending = await endingOf(new MemoryVolume({ [IMAGE_PATH]: bytes }), async (volume) => {
      report = (await performRepair(scenario, new LyingVolume(volume, IMAGE_PATH, lies))) as CheckReport;
    });
    return { ...ending, report };
  };

  /** Where it went well, what is said is so, and it is what was proven; else the image is as it was, or stands. */
  const judge = async ({ error, volume, report }: Awaited<ReturnType<typeof lied>>, proven: CheckReport) => {
    const after = volume.snapshot(IMAGE_PATH);
    if (error === undefined) {
      const { corruptions, checkErrors, leaks } = await checkOf(await openImage(memoryStorage(after)));
      expect({ corruptions, checkErrors, leaks }).toEqual(countsOf(report as CheckReport));
      expect(countsOf(report as CheckReport)).toEqual(countsOf(proven));
      expect(await guestOf(after)).toBe(await guestOf(bytes));
    } else if (error.rolledBack) {
      expectPutBack({ error, volume }, bytes);
    } else {
      expect(error.journal).toBe(scenario.options.journal ?? BESIDE.journal);
      await backOrUntouched(volume);
    }
  };

  const backOrUntouched = async (volume: MemoryVolume) => {
    const stood = volume.snapshots();
    const refused = await rollback(IMAGE_PATH, {}, testHost(volume)).then(
      () => undefined,
      (error: ImageError) => error,
    );
    if (refused === undefined) expect(volume.snapshot(IMAGE_PATH)).toEqual(new Uint8Array(bytes));
    else expect([refused.kind, volume.snapshots()]).toEqual(["changed-underneath", stood]);
  };

  test("a bit flips in what it writes, or all of it is lost: never called mended", async () => {
    const writes: Uint8Array[] = [];
    const proven = await lied({
      write(_, written) {
        writes.push(new Uint8Array(written));
        return written;
      },
    });
    const kinds = new Set<string | undefined>();
    for (const [turn, written] of writes.entries()) {
      for (const at of [undefined, ...placesIn(written)]) {
        let count = 0;
        const lie = (all: Uint8Array) => (at === undefined ? undefined : flipped(all, at, at % 8));
        const ending = await lied({ write: (_, all) => (count++ === turn ? lie(all) : all) });
        await judge(ending, proven.report as CheckReport);
        kinds.add(ending.error?.kind);
      }
    }
    expect(kinds).toContain("verification-failed");
  });

  test("a read lies once after the journal was made: never called mended", async () => {
    let reads = 0;
    const proven = await lied({ read: (_offset, _read, stage) => void (stage !== "inspected" && reads++) });
    let putBack = 0;
    for (let turn = 0; turn < reads; turn++) {
      let count = 0;
      const ending = await lied({
        read(_, read, stage) {
          if (stage === "inspected" || count++ !== turn) return;
          const used = placesIn(read);
          read.set(flipped(read, used[Math.floor(used.length / 2)] ?? 0, turn % 8));
        },
      });
      await judge(ending, proven.report as CheckReport);
      if (ending.error?.rolledBack) putBack++;
    }
    expect(putBack).toBeGreaterThan(0);
  });
});

describe.each(repairScenarios())("resume of a repair: $name", (scenario) => {
  const { bytes } = scenario.damaged;

  test("a read lies once until it is verified: put back, or left with its journal, or of no matter", async () => {
    const recording = new RecordingVolume({ [IMAGE_PATH]: bytes });
    await performRepair(scenario, recording);
    // Behind the last step; the record that says so is not there yet.
    const isImages = (path: string) => path === IMAGE_PATH;
    const last = recording.operations.findLastIndex((one) => one.kind === "sync" && isImages(one.path));
    const files = cutAfter(recording.log, last + 1).sample("all-new", seededRandom(1));
    const resumed = (lies: Lies, onLying?: (lying: LyingVolume) => void) =>
      endingOf(new MemoryVolume(files), (volume) => {
        const lying = new LyingVolume(volume, IMAGE_PATH, lies);
        onLying?.(lying);
        return withPlan(scenario.damaged.plan, () => resume(IMAGE_PATH, {}, testHost(lying)));
      });
    let undisturbed: LyingVolume | undefined;
    let reads = 0;
    // The journal, and the pointer to it, are written anew before anything is believed.
    const rewritten = scenario.options.journal === undefined ? 1 : 2;
    await resumed({ read: () => void ((undisturbed?.journalWrites ?? 0) <= rewritten && reads++) }, (lying) => {
      undisturbed = lying;
    });
    let guestLies = 0;
    for (let turn = 0; turn < reads; turn++) {
      for (const share of [0, 0.2, 0.5, 0.8]) {
        let count = 0;
        const { error, volume } = await resumed({
          read(_, read) {
            if (count++ !== turn) return;
            const used = placesIn(read);
            read.set(flipped(read, used[Math.floor(used.length * share)] ?? 0, turn % 8));
          },
        });
        expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(bytes));
        if (error?.rolledBack) expectPutBack({ error, volume }, bytes);
        if (/would show|would change|could not be followed/.test(error?.message ?? "")) guestLies++;
      }
    }
    expect(guestLies).toBeGreaterThan(0);
  });
});

/** The disk may have lost what the page cache still shows; whoever goes on from there must write it once more. */
describe.each(repairScenarios())("a repair's sync failed, and recovery sees the cache: $name", (scenario) => {
  test.each(["resume", "rollback"] as const)("%s leaves nothing that a power cut takes away", async (wish) => {
    const { bytes } = scenario.damaged;
    const counting = new FailingVolume(new RecordingVolume({ [IMAGE_PATH]: bytes }));
    await performRepair(scenario, counting);
    let trials = 0;
    for (let nth = 1; nth <= counting.count("sync"); nth++) {
      const recording = new RecordingVolume({ [IMAGE_PATH]: bytes });
      const failing = new FailingVolume(recording, { kind: "sync", nth, code: "EIO" });
      const error = await performRepair(scenario, failing).then(
        () => undefined,
        (thrown: ImageError) => thrown,
      );
      // Of the image alone.
      if (!error?.message.startsWith(`Cannot sync ${IMAGE_PATH}:`)) continue;
      expect(error.journal).toBeDefined();
      expect(await recoverRepaired(scenario, recording, wish)).toBe("done");
      const live = recording.memory.snapshot(IMAGE_PATH);
      if (wish === "rollback") expect(live).toEqual(new Uint8Array(bytes));
      for (const outcome of OUTCOMES) {
        const state = cutAfter(recording.log, recording.operations.length).sample(outcome, seededRandom(nth));
        expect(Buffer.compare(state[IMAGE_PATH] as Uint8Array, live), `sync ${nth}, ${outcome}`).toBe(0);
      }
      trials++;
    }
    expect(trials).toBeGreaterThan(0);
  });
});

describe.each(repairScenarios())("a repair's way back whose sync failed: $name", (scenario) => {
  test.each(["resume", "rollback"] as const)("%s leaves nothing that a power cut takes away", async (wish) => {
    const { bytes } = scenario.damaged;
    const kept = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const keeping = { ...scenario, options: { ...scenario.options, keepUndo: true } };
    await performRepair(keeping, kept);
    const repaired = kept.snapshots();
    const counting = new FailingVolume(new RecordingVolume(repaired));
    await rollback(IMAGE_PATH, {}, testHost(counting));
    let trials = 0;
    for (let nth = 1; nth <= counting.count("sync"); nth++) {
      const recording = new RecordingVolume(repaired);
      const failing = new FailingVolume(recording, { kind: "sync", nth, code: "EIO" });
      const error = await rollback(IMAGE_PATH, {}, testHost(failing)).then(
        () => undefined,
        (thrown: ImageError) => thrown,
      );
      if (!error?.message.startsWith(`Cannot sync ${IMAGE_PATH}:`)) continue;
      await recoverRepaired(scenario, recording, wish);
      const live = recording.memory.snapshot(IMAGE_PATH);
      expect(live).toEqual(wish === "rollback" ? new Uint8Array(bytes) : repaired[IMAGE_PATH]);
      for (const outcome of OUTCOMES) {
        const state = cutAfter(recording.log, recording.operations.length).sample(outcome, seededRandom(nth));
        expect(Buffer.compare(state[IMAGE_PATH] as Uint8Array, live), `sync ${nth}, ${outcome}`).toBe(0);
      }
      trials++;
    }
    expect(trials).toBeGreaterThan(1);
  });
});

/** In smaller clusters other things share the block, and only what a repair overwrites is in its journal. */
const withHeaderBlock = repairScenarios().filter(({ damaged }) => damaged.bytes.readUInt32BE(20) >= 12);

/** The same with the header's bytes written first, so that no later step brings its block back by itself. */
const headerFirst = withHeaderBlock.flatMap((scenario) => {
  const { plan } = scenario.damaged;
  if (plan === undefined) return [];
  const reordered = async (image: Image) => {
    const repair = await plan(image);
    return { ...repair, steps: [...repair.steps.slice(-1), ...repair.steps.slice(0, -1)] };
  };
  return [{ ...scenario, name: `${scenario.name}, header first`, damaged: { ...scenario.damaged, plan: reordered } }];
});

describe.each([...withHeaderBlock, ...headerFirst])(
  "a header that was written and is lost at a later step: $name",
  (scenario) => {
    test.each(["resume", "rollback"] as const)("%s brings it back", async (wish) => {
      const { bytes } = scenario.damaged;
      const log = new RecordingVolume({ [IMAGE_PATH]: bytes });
      await performRepair(scenario, log);
      const mended = log.memory.snapshot(IMAGE_PATH);
      let trials = 0;
      for (const { count, cut } of eachCut(log.log)) {
        const soFar = log.operations.slice(0, count);
        if (!soFar.some((one) => one.kind === "write" && one.path === IMAGE_PATH && one.hostOffset === 0)) continue;
        const recording = new RecordingVolume(cut.sample("all-new", seededRandom(count)));
        // Once it is verified nobody needs what leads back any more.
        if ((await unfinished(IMAGE_PATH, recording)) !== "open") break;
        const end = await recoverRepaired(scenario, new UnreadableVolume(recording, IMAGE_PATH), wish);
        expect(end, `cut ${count}`).toBe("done");
        const found = recording.memory.snapshot(IMAGE_PATH);
        expect(found).toEqual(wish === "rollback" ? new Uint8Array(bytes) : mended);
        trials++;
      }
      expect(trials).toBeGreaterThan(0);
    });
  },
);

function countsOf({ corruptions, checkErrors, leaks }: CheckReport) {
  return { corruptions, checkErrors, leaks };
}
