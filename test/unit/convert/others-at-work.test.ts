/** Somebody else at work on the image while we are: each look for them is there, and stops us where nothing is lost yet. */

import { describe, expect, test } from "vitest";
import type { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import type { ConvertOptions, Stage } from "../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-conversion.ts";
import { failureOf } from "../../support/failure-of.ts";
import { type Case, guestOf, SPARSE, WAYS } from "../../support/lying-trial.ts";
import { flipped, LyingVolume } from "../../support/lying-volume.ts";
import { MeddledVolume } from "../../support/meddled-volume.ts";
import { repairScenarios } from "../../support/repair-scenarios.ts";
import { withPlan } from "../../support/repair-stand-in.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const QEMU = { found: ["QEMU has it open for writing"], writers: ["QEMU has it open for writing"], blind: [] };
const NOBODY = { found: [], blind: [] };

async function formatOf(volume: MemoryVolume): Promise<string> {
  return (await openImage(memoryStorage(volume.snapshot(IMAGE_PATH)))).format;
}

/** Writes a byte as another program does; where none is given, the one that is there already. */
async function write(volume: MemoryVolume, hostOffset: number, byte?: number): Promise<void> {
  const other = await volume.openForWriting(IMAGE_PATH);
  await other.write(hostOffset, Uint8Array.of(byte ?? (volume.snapshot(IMAGE_PATH)[hostOffset] as number)));
  await other.close();
}

/** Performs once when the conversion reports `stage` for the first time: at `verify` nothing is committed yet. */
function once(stage: Stage, perform: () => void): Pick<ConvertOptions, "onProgress"> {
  let isDone = false;
  return {
    onProgress(progress) {
      if (isDone || progress.stage !== stage) return;
      isDone = true;
      perform();
    },
  };
}

/** Nothing is committed: the file begins as before, and both ways are open. */
async function expectUncommitted(error: ImageError, volume: MemoryVolume, { image, from }: Case): Promise<void> {
  expect(error).toMatchObject({ journal: NAMES.journal });
  expect(error.rolledBack ?? false).toBe(false);
  expect(await formatOf(volume)).toBe(from);
  expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(image));
}

test("a plan refuses what others have open; with forceShare it tells of them and plans", async () => {
  const { image, to } = WAYS[0] as Case;
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  volume.users = QEMU;
  const { report: refused } = await plan(IMAGE_PATH, to, {}, testHost(volume));
  expect(refused.refused).toEqual(QEMU.found);
  const { report } = await plan(IMAGE_PATH, to, { forceShare: true }, testHost(volume));
  expect(report.refused).toEqual([]);
  expect(report.bytesWritten).toBeGreaterThan(0);
  expect(report.notes).toContain(`A conversion would be refused now: ${QEMU.found[0]}`);
  // What writes is refused whatever is said.
  const error = await failureOf(convert(IMAGE_PATH, to, { forceShare: true }, testHost(volume)));
  expect(error.kind).toBe("in-use");
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
});

describe.each(WAYS)("before the commit: $name", (way) => {
  const { image, to, options } = way;

  test("somebody opened the image", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const meddle = once("verify", () => {
      volume.users = QEMU;
    });
    const error = await failureOf(convert(IMAGE_PATH, to, { ...options, ...meddle }, testHost(volume)));
    expect(error.kind).toBe("in-use");
    expect(error.message).toContain("QEMU has it open for writing; close it there first");
    await expectUncommitted(error, volume, way);
    volume.users = NOBODY;
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
  });

  test("somebody wrote to the image", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const meddle = once("verify", () => void write(volume, 0));
    const error = await failureOf(convert(IMAGE_PATH, to, { ...options, ...meddle }, testHost(volume)));
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toContain("it was written to by another program while we worked on it");
    await expectUncommitted(error, volume, way);
  });

  test("somebody put another file in its place", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const meddle = once("verify", () => {
      void volume.rename(IMAGE_PATH, "/vm/aside.img");
      void volume.createExclusively(IMAGE_PATH);
    });
    const error = await failureOf(convert(IMAGE_PATH, to, { ...options, ...meddle }, testHost(volume)));
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toContain("another file has taken its name while we worked on it");
    expect(volume.snapshot(IMAGE_PATH)).toHaveLength(0);
    expect((await openImage(memoryStorage(volume.snapshot("/vm/aside.img")))).format).toBe(way.from);
  });

  test("another command has our lock, which then stays its own", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const theirs = JSON.stringify({ pid: 1, hostName: "other", bootId: "b", startTime: "0", nonce: "theirs" });
    const meddle = once("verify", () => {
      void volume.remove(NAMES.lock);
      void volume.createExclusively(NAMES.lock).then((lock) => lock?.write(0, new TextEncoder().encode(theirs)));
    });
    const error = await failureOf(convert(IMAGE_PATH, to, { ...options, ...meddle }, testHost(volume)));
    expect(error.kind).toBe("in-use");
    expect(error.message).toContain(`${NAMES.lock} is held by another command`);
    await expectUncommitted(error, volume, way);
    expect(new TextDecoder().decode(volume.snapshot(NAMES.lock))).toBe(theirs);
  });

  /** The clock of a file system ticks every few milliseconds, and a mapped file's time moves late. */
  test.each(["header", "tables"])("somebody changed the %s without the file's time telling", async (what) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const source = await openImage(memoryStorage(image));
    const metadata = await source.getMetadataRanges();
    const tables = [...metadata.each()].at(-1);
    const place = what === "header" ? 36 : (tables?.end ?? 0) - 1;
    expect(place).toBeGreaterThan(what === "header" ? 0 : 512);
    const meddled = new MeddledVolume(volume, IMAGE_PATH, { fingerprint: () => "the same" });
    const meddle = once("verify", () => void write(volume, place, (image[place] as number) ^ 0x40));
    const error = await failureOf(convert(IMAGE_PATH, to, { ...options, ...meddle }, testHost(meddled)));
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toContain(`Cannot commit ${IMAGE_PATH}: its metadata changed while we worked on it`);
    expect(error.journal).toBe(NAMES.journal);
    expect(volume.snapshot(IMAGE_PATH).subarray(0, 8)).toEqual(image.subarray(0, 8));
    expect(volume.snapshot(IMAGE_PATH)[place]).toBe((image[place] as number) ^ 0x40);
  });
});

describe.each(WAYS.flatMap((way) => [way, { ...way, options: { ...way.options, keepUndo: true } }]))(
  "between commit and finishing: $name, $options",
  ({ image, to, options }) => {
    const afterCommit = (perform: (volume: MemoryVolume) => Promise<void>) => {
      const volume = new MemoryVolume({ [IMAGE_PATH]: image });
      let isDone = false;
      const meddled = new MeddledVolume(volume, IMAGE_PATH, {
        async looked(isCommitted) {
          if (!isCommitted || isDone) return;
          isDone = true;
          await perform(volume);
        },
      });
      return { volume, run: () => convert(IMAGE_PATH, to, options, testHost(meddled)) };
    };

    test("somebody opened the image: nothing is given up, and the way back is open once they went", async () => {
      const { volume, run } = afterCommit(async (meddled) => {
        meddled.users = QEMU;
      });
      const error = await failureOf(run());
      expect(error).toMatchObject({ kind: "in-use", journal: NAMES.journal });
      expect(error.message).toContain(`inplace-convert rollback ${IMAGE_PATH}`);
      expect(await formatOf(volume)).toBe(to);
      volume.users = NOBODY;
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    });

    test("somebody wrote to the image: nothing is given up", async () => {
      const { volume, run } = afterCommit((meddled) => write(meddled, 0));
      const error = await failureOf(run());
      expect(error).toMatchObject({ kind: "changed-underneath", journal: NAMES.journal });
      expect(error.message).toContain(`inplace-convert rollback ${IMAGE_PATH}`);
      expect(await formatOf(volume)).toBe(to);
      await resume(IMAGE_PATH, {}, testHost(volume));
      expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(image));
    });

    test("another command has our lock", async () => {
      const { volume, run } = afterCommit((meddled) => meddled.remove(NAMES.lock));
      const error = await failureOf(run());
      expect(error).toMatchObject({ kind: "in-use", journal: NAMES.journal });
      expect(error.message).toContain(`inplace-convert rollback ${IMAGE_PATH}`);
      expect(await formatOf(volume)).toBe(to);
    });
  },
);

const STAYING = WAYS.filter(({ name }) => !name.includes("moved"));

describe.each(STAYING)(
  "a verification that fails while somebody has the image open: $name",
  ({ image, to, options }) => {
    /** Data that stays where it lies is read wrong from where `isTime` says. */
    const lies = (volume: MemoryVolume, isTime: (stage: string) => boolean) => {
      const data = Buffer.from(image).indexOf(Buffer.from(buildQedImage(SPARSE).guest.subarray(0, 512)));
      return new LyingVolume(volume, IMAGE_PATH, {
        read(hostOffset, bytes, stage) {
          const at = data - hostOffset;
          if (!isTime(stage) || at < 0 || at >= bytes.length) return;
          bytes.set(flipped(bytes, at));
          volume.users = QEMU;
        },
      });
    };

    test("before the commit nothing is put back under them", async () => {
      const volume = new MemoryVolume({ [IMAGE_PATH]: image });
      const lying = lies(volume, (stage) => stage === "journaled");
      const error = await failureOf(convert(IMAGE_PATH, to, options, testHost(lying)));
      expect(error).toMatchObject({ kind: "verification-failed", journal: NAMES.journal });
      expect(volume.snapshot(IMAGE_PATH).length).toBeGreaterThan(image.length);
      volume.users = NOBODY;
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    });

    test("in resume nothing is put back under them", async () => {
      const run = (recording: Parameters<Parameters<typeof cutAtCommit>[1]>[0]) =>
        convert(IMAGE_PATH, to, options, testHost(recording));
      const volume = new MemoryVolume(await cutAtCommit({ [IMAGE_PATH]: image }, run, "committed"));
      let reads = 0;
      // The guest is looked at through the target first, then through the source: wrong once only.
      const error = await failureOf(
        resume(IMAGE_PATH, {}, testHost(lies(volume, () => reads++ < 400 && volume.users !== QEMU))),
      );
      expect(error).toMatchObject({ kind: "in-use", journal: NAMES.journal });
      expect(await formatOf(volume)).toBe(to);
      volume.users = NOBODY;
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    });
  },
);

describe("while settling, before each of its barriers", () => {
  const way = WAYS[2] as Case;

  /** Performs at the safe point `turn` of those that come after the undo was given up. */
  const settling = async (turn: number, perform: (volume: MemoryVolume) => void) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: way.image });
    let isCommitted = false;
    let points = 0;
    const meddled = new MeddledVolume(volume, IMAGE_PATH, {
      async looked(committed) {
        isCommitted = committed;
      },
    });
    const signal = {
      get aborted() {
        if (isCommitted && ++points === turn) perform(volume);
        return false;
      },
    } as AbortSignal;
    const error = await convert(IMAGE_PATH, way.to, { signal, check: true }, testHost(meddled)).then(
      () => undefined,
      (thrown: unknown) => thrown as ImageError,
    );
    return { error, volume, points };
  };

  test("somebody writes: stopped with the journal, and resume goes on", async () => {
    const { points, error: none } = await settling(0, () => {});
    expect(none).toBeUndefined();
    expect(points).toBeGreaterThan(2);
    for (let turn = 1; turn <= points; turn++) {
      const { error, volume } = await settling(turn, (meddled) => void write(meddled, 0));
      expect(error, `safe point ${turn}`).toMatchObject({ kind: "changed-underneath", journal: NAMES.journal });
      expect(error?.message).toContain("it was written to by another program while we worked on it");
      await resume(IMAGE_PATH, {}, testHost(volume));
      expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
      expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    }
  });

  test("somebody opens the image: the header is not switched", async () => {
    const { error, volume } = await settling(1, (meddled) => {
      meddled.users = QEMU;
    });
    expect(error).toMatchObject({ kind: "in-use", journal: NAMES.journal });
    volume.users = NOBODY;
    expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
  });
});

describe.each(repairScenarios())("a repair: $name", ({ damaged, options }) => {
  const { bytes, plan } = damaged;
  const journal = options.journal ?? NAMES.journal;

  test("somebody opened the image before the first step: no old byte is overwritten", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const onJournal = () => {
      volume.users = QEMU;
    };
    const run = withPlan(plan, () => check(IMAGE_PATH, { ...options, onJournal }, testHost(volume)));
    expect(await failureOf(run)).toMatchObject({ kind: "in-use", journal });
    expect(volume.snapshot(IMAGE_PATH).subarray(0, bytes.length)).toEqual(new Uint8Array(bytes));
  });

  test("somebody opened it behind the last step: the way back stays", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const onProgress: ConvertOptions["onProgress"] = ({ stage, done, total }) => {
      if (stage === "write" && done === total && total > 0) volume.users = QEMU;
    };
    const run = withPlan(plan, () => check(IMAGE_PATH, { ...options, onProgress }, testHost(volume)));
    expect(await failureOf(run)).toMatchObject({ kind: "in-use", journal });
    volume.users = NOBODY;
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
  });
});

test("a check that only reads hears that it shall stop, wherever it is, and tells how far it is", async () => {
  for (const { image } of WAYS) {
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    let reads = 0;
    await check(IMAGE_PATH, { onProgress: () => void reads++ }, testHost(volume));
    expect(reads).toBeGreaterThan(2);
    for (let turn = 1; turn < reads; turn++) {
      const abort = new AbortController();
      let done = 0;
      const onProgress = () => {
        if (++done === turn) abort.abort();
      };
      const error = await failureOf(check(IMAGE_PATH, { onProgress, signal: abort.signal }, testHost(volume)));
      expect(error.kind).toBe("interrupted");
      expect(done).toBe(turn);
    }
  }
});
