import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { type CallKind, FailingVolume, type Failure } from "../../support/failing-volume.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";
import { UnreadableVolume } from "../../support/unreadable-storage.ts";

const bytes = new Uint8Array([1, 2, 3, 4]);

function failing(failure: Failure): { volume: FailingVolume; recording: RecordingVolume } {
  const recording = new RecordingVolume({ a: new Uint8Array(4) });
  return { volume: new FailingVolume(recording, failure), recording };
}

describe("FailingVolume", () => {
  const calls: readonly [CallKind, (volume: FailingVolume) => Promise<unknown>][] = [
    ["open", (volume) => volume.openForReading("a")],
    ["read", async (volume) => (await volume.openForWriting("a")).read(0, new Uint8Array(1))],
    ["write", async (volume) => (await volume.openForWriting("a")).write(0, bytes)],
    ["resize", async (volume) => (await volume.openForWriting("a")).resize(9)],
    ["punch", async (volume) => (await volume.openForWriting("a")).punch?.(RangeSet.of({ start: 0, end: 4 }))],
    ["sync", async (volume) => (await volume.openForWriting("a")).sync()],
    ["create", (volume) => volume.createExclusively(`b${volume.count("create")}`)],
    ["rename", (volume) => volume.rename("a", "a")],
    ["remove", (volume) => volume.remove("c")],
    ["syncFolder", (volume) => volume.syncFolderOf("a")],
  ];

  test.each(calls)("fails the second %s alone", async (kind, call) => {
    const { volume } = failing({ kind, nth: 2, code: "EIO" });
    await call(volume);
    await expect(call(volume)).rejects.toMatchObject({ kind: "io", cause: { code: "EIO" } });
    await call(volume);
    expect(volume.count(kind)).toBe(3);
    expect(volume.struck).toHaveLength(1);
  });

  test.each(calls)("a %s may fail from then on", async (kind, call) => {
    const { volume } = failing({ kind, nth: 1, code: "ENOSPC", isLasting: true });
    for (let round = 0; round < 2; round++) await expect(call(volume)).rejects.toMatchObject({ kind: "no-space" });
  });

  test.each([
    ["nothing", [0, 0, 0, 0]],
    ["half", [1, 2, 0, 0]],
    ["all", [1, 2, 3, 4]],
  ] as const)("a failed write leaves %s", async (leaves, expected) => {
    const { volume, recording } = failing({ kind: "write", nth: 1, code: "ENOSPC", leaves });
    await expect((await volume.openForWriting("a")).write(0, bytes)).rejects.toMatchObject({ hostOffset: 0 });
    expect([...recording.memory.snapshot("a")]).toEqual(expected);
    expect(recording.bytesWritten()).toBe(expected.filter((byte) => byte > 0).length);
  });

  test.each([
    ["nothing", [1, 1, 1, 1]],
    ["half", [0, 1, 1, 1]],
    ["all", [0, 1, 1, 0]],
  ] as const)("a failed punch leaves %s", async (leaves, expected) => {
    const { volume, recording } = failing({ kind: "punch", nth: 1, code: "EIO", leaves });
    const file = await volume.openForWriting("a");
    await file.write(0, new Uint8Array(4).fill(1));
    const ranges = RangeSet.of({ start: 0, end: 1 }, { start: 3, end: 4 });
    await expect(file.punch?.(ranges)).rejects.toMatchObject({ kind: "io", operation: "punch holes into" });
    expect([...recording.memory.snapshot("a")]).toEqual(expected);
  });

  test("a failed call of another kind may still have been done", async () => {
    const { volume, recording } = failing({ kind: "rename", nth: 1, code: "EIO", leaves: "all" });
    await expect(volume.rename("a", "b")).rejects.toMatchObject({ kind: "io" });
    expect(recording.memory.has("b")).toBe(true);
  });

  test("a failed sync is recorded as one and notices a second try", async () => {
    const { volume, recording } = failing({ kind: "sync", nth: 1, code: "ENOSPC" });
    const file = await volume.openForWriting("a");
    await expect(file.sync()).rejects.toMatchObject({ kind: "no-space", operation: "sync" });
    await expect(file.sync()).rejects.toMatchObject({ kind: "no-space" });
    expect(volume.retriedSyncCount).toBe(1);
    const syncs = recording.operations.filter(({ kind }) => kind === "sync");
    expect(syncs).toEqual([expect.objectContaining({ isFailed: true })]);
  });

  test("a failed sync of a folder is recorded as one", async () => {
    const { volume, recording } = failing({ kind: "syncFolder", nth: 1, code: "EIO" });
    await expect(volume.syncFolderOf("a")).rejects.toMatchObject({ kind: "io" });
    expect(recording.operations).toEqual([{ kind: "syncFolder", folder: ".", isFailed: true }]);
  });

  test("files made and read under it fail too", async () => {
    const { volume } = failing({ kind: "write", nth: 1, code: "EIO" });
    await expect((await volume.createExclusively("b"))?.write(0, bytes)).rejects.toMatchObject({ kind: "io" });
    const reading = failing({ kind: "read", nth: 1, code: "EIO" }).volume;
    await expect((await reading.openForReading("a")).read(0, new Uint8Array(1))).rejects.toMatchObject({ kind: "io" });
  });
});

describe("UnreadableVolume", () => {
  const image = new Uint8Array(8192).fill(1);

  test("the first 4 KiB of the one file can't be read or changed in part", async () => {
    const volume = new UnreadableVolume(new RecordingVolume({ a: image, b: image }), "a");
    const file = await volume.openForWriting("a");
    for (const [hostOffset, length] of [
      [0, 512],
      [4095, 2],
      [0, 8192],
    ] as const) {
      await expect(file.read(hostOffset, new Uint8Array(length))).rejects.toMatchObject({ cause: { code: "EIO" } });
    }
    await expect(file.write(0, new Uint8Array(512))).rejects.toMatchObject({ cause: { code: "EIO" } });
    expect(await file.read(4096, new Uint8Array(512))).toBe(512);
    await file.write(4096, new Uint8Array(512));
    expect(await (await volume.openForReading("b")).read(0, new Uint8Array(512))).toBe(512);
  });

  test("until they are written whole, for every descriptor", async () => {
    const volume = new UnreadableVolume(new RecordingVolume({ a: image }), "a");
    const [reader, writer] = [await volume.openForReading("a"), await volume.openForWriting("a")];
    await writer.write(0, new Uint8Array(4096));
    expect(volume.isReadable).toBe(true);
    expect(await reader.read(0, new Uint8Array(512))).toBe(512);
    await writer.write(0, new Uint8Array(512));
  });

  test("a shorter file is unreadable as a whole", async () => {
    const volume = new UnreadableVolume(new RecordingVolume({ a: image.subarray(0, 1000) }), "a");
    const file = await volume.openForWriting("a");
    await expect(file.write(0, new Uint8Array(999))).rejects.toMatchObject({ kind: "io" });
    await file.write(0, new Uint8Array(1000));
    expect(await file.read(0, new Uint8Array(1000))).toBe(1000);
  });
});
