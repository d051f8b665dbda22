/** Repairs as commands: what is written, told and left beside the image; the way back; whoever else is at work. */

import { describe, expect, test } from "vitest";
import type { ImageError } from "../../../../src/bytes/image-error.ts";
import { check } from "../../../../src/convert/check.ts";
import { convert } from "../../../../src/convert/convert.ts";
import { unfinished } from "../../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { damagedImage, withPlan } from "../../../support/repair-stand-in.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const CASES = [
  damagedImage("in place", { clusterBits: 12 }, "in place"),
  damagedImage("in place, small clusters", { snapshot: true }, "in place", 100),
  damagedImage("rebuilt", { clusterBits: 12, bitmap: true }, "rebuilt", 700),
];

async function countSafePoints(plan: (typeof CASES)[number]["plan"], bytes: Uint8Array): Promise<number> {
  let points = 0;
  const signal = {
    get aborted() {
      points++;
      return false;
    },
  } as AbortSignal;
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", signal }, testHost(volume)));
  return points;
}

describe.each(CASES)("a repair: $name", ({ bytes, plan }) => {
  const begin = () => new MemoryVolume({ [IMAGE_PATH]: bytes });

  test("mends the image, tells it in qemu-img's order, and leaves nothing beside it", async () => {
    const volume = begin();
    const told: string[] = [];
    const journals: string[] = [];
    const report = await withPlan(plan, () =>
      check(
        IMAGE_PATH,
        {
          repair: "all",
          onFinding: ({ line, message }) => told.push(line ?? message),
          onJournal: (path) => {
            journals.push(path);
          },
        },
        testHost(volume),
      ),
    );
    expect(report).toMatchObject({ changed: true, exitCode: 0, verdict: "clean", corruptions: 0, leaks: 0 });
    expect(report.leaksFixed).toBe(1);
    expect(report.json).toMatchObject({ "leaks-fixed": 1, changed: true, losses: [], "given-up": [] });
    expect(report.fixedText).toContain("1 leaked clusters");
    expect(report.bytesWritten).toBeGreaterThan(512);
    expect(report.syncs).toBeGreaterThan(4);
    expect(told.at(-1)).toBe("Repairing it");
    expect(journals).toEqual([NAMES.journal]);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    expect(volume.snapshot(IMAGE_PATH)).not.toEqual(new Uint8Array(bytes));
    expect(volume.snapshot(IMAGE_PATH)[79]).toBe(0);
  });

  test("is put back byte for byte while its undo is kept", async () => {
    const volume = begin();
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume)));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH, NAMES.undo]);
    expect(await unfinished(IMAGE_PATH, volume)).toBe("undo");
    for (const again of [
      check(IMAGE_PATH, { repair: "all" }, testHost(volume)),
      convert(IMAGE_PATH, "qed", {}, testHost(volume)),
    ]) {
      const { kind, journal, message } = await failureOf(again);
      expect({ kind, journal }).toEqual({ kind: "interrupted", journal: NAMES.undo });
      expect(message).toContain("the undo of a repair is kept beside it");
    }
    const { notes } = await check(IMAGE_PATH, {}, testHost(volume));
    expect(notes).toEqual([expect.stringContaining(NAMES.undo)]);
    expect(await rollback(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ outcome: "rolled-back", format: "qcow2" });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
  });

  test("resume gives a kept undo up", async () => {
    const volume = begin();
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume)));
    const mended = volume.snapshot(IMAGE_PATH);
    expect(await resume(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ outcome: "resumed" });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: mended });
    expect((await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)))).message).toMatch(/^Nothing to roll back/);
  });

  test("with the journal elsewhere", async () => {
    const volume = begin();
    const journal = "/vm/elsewhere/journal";
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true, journal }, testHost(volume)));
    expect(Object.keys(volume.snapshots()).sort()).toEqual([IMAGE_PATH, NAMES.undo, journal].sort());
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
  });

  test("is not put back once its metadata was written to, and resume gives only the undo up", async () => {
    const volume = begin();
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume)));
    for (const place of [48, 4096 + 8, bytes.length - 1]) {
      const written = new MemoryVolume(volume.snapshots());
      const storage = await written.openForWriting(IMAGE_PATH);
      await storage.write(place, Uint8Array.of(0x5a));
      await storage.resize((await storage.size()) + (place === bytes.length - 1 ? 512 : 0));
      const before = written.snapshots();
      const { kind, message, journal } = await failureOf(rollback(IMAGE_PATH, {}, testHost(written)));
      expect({ kind, journal }).toEqual({ kind: "changed-underneath", journal: NAMES.undo });
      expect(message).toContain("nothing was touched");
      expect(written.snapshots()).toEqual(before);
      await resume(IMAGE_PATH, {}, testHost(written));
      expect(written.snapshots()).toEqual({ [IMAGE_PATH]: before[IMAGE_PATH] });
    }
  });

  test("is not put back once what it added was written to", async () => {
    const volume = begin();
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume)));
    const { length } = volume.snapshot(IMAGE_PATH);
    if (length === bytes.length) return;
    await (await volume.openForWriting(IMAGE_PATH)).write(length - 1, Uint8Array.of(0x5a));
    const before = volume.snapshots();
    expect(await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({ kind: "changed-underneath" });
    expect(volume.snapshots()).toEqual(before);
  });

  test("stops where somebody writes between two steps, and the way back is refused", async () => {
    const volume = begin();
    const other = await volume.openForWriting(IMAGE_PATH);
    let asked = 0;
    // The last safe point, right before the last step.
    const points = await countSafePoints(plan, bytes);
    const signal = {
      get aborted() {
        if (++asked === points) void other.write(48, Uint8Array.of(0x5a));
        return false;
      },
    } as AbortSignal;
    const run = withPlan(plan, () => check(IMAGE_PATH, { repair: "all", signal }, testHost(volume)));
    expect(await failureOf(run)).toMatchObject({ kind: "changed-underneath", journal: NAMES.journal });
    expect(volume.snapshot(IMAGE_PATH)[79]).toBe(1);
    expect(await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({ kind: "changed-underneath" });
  });

  test("guest data written since stays when it is put back", async () => {
    const volume = begin();
    await withPlan(plan, () => check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume)));
    const expected = new Uint8Array(bytes);
    const data = expected.indexOf(0x42);
    expected[data] = 0x99;
    await (await volume.openForWriting(IMAGE_PATH)).write(data, Uint8Array.of(0x99));
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: expected });
  });

  test("stops at a safe point, says which commands go on, and both do", async () => {
    let stopped = 0;
    for (let turn = 1; turn < 20; turn++) {
      const volume = begin();
      const abort = new AbortController();
      let reports = 0;
      const onProgress = () => {
        if (++reports === turn) abort.abort();
      };
      const run = withPlan(plan, () =>
        check(IMAGE_PATH, { repair: "all", onProgress, signal: abort.signal }, testHost(volume)),
      );
      const error = await run.then(
        () => undefined,
        (thrown: unknown) => thrown as ImageError,
      );
      if (error === undefined) break;
      stopped++;
      expect(error).toMatchObject({ kind: "interrupted", journal: NAMES.journal });
      expect(error.message).toContain(`inplace-convert resume ${IMAGE_PATH}`);
      expect(error.message).toContain(`inplace-convert rollback ${IMAGE_PATH}`);
      expect(await unfinished(IMAGE_PATH, volume)).toBe("open");
      const other = new MemoryVolume(volume.snapshots());
      await rollback(IMAGE_PATH, {}, testHost(other));
      expect(other.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
      await withPlan(plan, () => resume(IMAGE_PATH, {}, testHost(volume)));
      expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
      expect(await check(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ exitCode: 0 });
    }
    expect(stopped).toBeGreaterThan(0);
  });
});

describe("nothing is written", () => {
  const [inPlace] = CASES as [(typeof CASES)[0]];
  const mended = async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    await withPlan(inPlace.plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume)));
    return volume.snapshot(IMAGE_PATH);
  };

  test("where nothing is to be mended", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: await mended() });
    const before = await volume.openForWriting(IMAGE_PATH).then((storage) => storage.fingerprint());
    const report = await withPlan(inPlace.plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume)));
    expect(report).toMatchObject({ changed: false, leaksFixed: 0, corruptionsFixed: 0, fixedText: "", syncs: 0 });
    expect(await volume.openForWriting(IMAGE_PATH).then((storage) => storage.fingerprint())).toBe(before);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("by a check without repair", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    const report = await check(IMAGE_PATH, {}, testHost(volume));
    expect(report).toMatchObject({ changed: false, exitCode: 2, notes: [] });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(inPlace.bytes) });
  });

  test("while QEMU has the image open", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    volume.users = { found: ["QEMU has it open"], writers: [], blind: [] };
    expect(await failureOf(check(IMAGE_PATH, { repair: "all" }, testHost(volume)))).toMatchObject({
      kind: "in-use",
      message: expect.stringContaining("Cannot repair"),
    });
    // A reader elsewhere is no matter to a reader here.
    expect(await check(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ exitCode: 2 });
    volume.users = { found: ["QEMU has it open for writing"], writers: ["QEMU has it open for writing"], blind: [] };
    expect(await failureOf(check(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({ kind: "in-use" });
    expect(await check(IMAGE_PATH, { forceShare: true }, testHost(volume))).toMatchObject({ exitCode: 2 });
  });

  test("where the file system is full", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    volume.free = 4096;
    const failing = withPlan(inPlace.plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume)));
    expect(await failureOf(failing)).toMatchObject({ kind: "no-space", journal: undefined });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(inPlace.bytes) });
  });

  test.each([
    ["that would touch guest data", 5 * 4096, "holds data of guest offset 0x0"],
    ["that would touch the end of guest data", 7 * 4096 - 1, "holds data of guest offset 0x0"],
    ["past the end", 7 * 4096, "past the old end of file"],
  ])("by a plan %s", async (_, hostOffset, why) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    const plan: typeof inPlace.plan = async (image) => {
      const repair = await inPlace.plan(image);
      const writes = [{ hostOffset, bytes: Uint8Array.of(1) }];
      return { ...repair, steps: [...repair.steps, { purpose: "go astray", writes }] };
    };
    const error = await failureOf(withPlan(plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume))));
    expect(error).toMatchObject({ kind: "verification-failed", journal: undefined });
    expect(error.message).toContain(why);
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(inPlace.bytes) });
  });

  test("where a step in the middle would show another guest, though the last one puts it right", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    const plan: typeof inPlace.plan = async (image) => {
      const repair = await inPlace.plan(image);
      const place = 4 * 4096 + 8 + 6;
      const entry = (value: number) => ({
        purpose: "go",
        writes: [{ hostOffset: place, bytes: Uint8Array.of(value) }],
      });
      return { ...repair, steps: [entry(0x50), ...repair.steps, entry(inPlace.bytes[place] as number)] };
    };
    const error = await failureOf(withPlan(plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume))));
    expect(error.message).toContain("guest offset 0x1000 would show something else");
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(inPlace.bytes) });
  });

  test.each([
    ["an L2 entry changes", 4 * 4096 + 8 + 6, 0x50, "guest offset 0x1000 would show something else"],
    ["a table can't be followed", 4 * 4096 + 8 + 1, 6, "could not be followed any more"],
    ["the image can't be opened", 3, 0, "could not be opened any more"],
    ["the disk's size changes", 29, 3, "size would change"],
    ["the check finds more", 2 * 4096 + 1, 0, "its check would find"],
  ])("where %s", async (_, hostOffset, value, why) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: inPlace.bytes });
    const plan: typeof inPlace.plan = async (image) => {
      const repair = await inPlace.plan(image);
      const writes = [{ hostOffset, bytes: Uint8Array.of(value) }];
      return { ...repair, steps: [{ purpose: "go astray", writes }] };
    };
    const error = await failureOf(withPlan(plan, () => check(IMAGE_PATH, { repair: "all" }, testHost(volume))));
    expect(error).toMatchObject({ kind: "verification-failed", journal: undefined });
    expect(error.message).toContain(why);
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(inPlace.bytes) });
  });
});
