import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { type RecordingStorage, RecordingVolume, recordingUnder } from "../../support/recording-volume.ts";
import { WrappedVolume } from "../../support/wrapped-volume.ts";

const two = new Uint8Array([1, 2]);

test("every change is a value, in order", async () => {
  const volume = new RecordingVolume({ "d/a": two });
  const file = (await volume.openForWriting("d/a")) as RecordingStorage;
  const buffer = new Uint8Array([7]);
  await file.write(1, buffer);
  buffer[0] = 8;
  await file.resize(1);
  await file.punch(RangeSet.of({ start: 0, end: 1 }));
  await file.sync();
  await volume.createExclusively("d/b");
  expect(await volume.createExclusively("d/b")).toBeUndefined();
  await volume.rename("d/b", "d/c");
  await volume.syncFolderOf("d/c");
  await volume.remove("d/c");
  await volume.openForReading("d/a");
  expect(volume.operations).toEqual([
    { kind: "open", path: "d/a", file: 0, access: "writing" },
    { kind: "write", path: "d/a", file: 0, hostOffset: 1, bytes: new Uint8Array([7]) },
    { kind: "resize", path: "d/a", file: 0, size: 1 },
    { kind: "punch", path: "d/a", file: 0, ranges: [{ start: 0, end: 1 }] },
    { kind: "sync", path: "d/a", file: 0, isFailed: false },
    { kind: "create", path: "d/b", file: 1 },
    { kind: "rename", from: "d/b", to: "d/c" },
    { kind: "syncFolder", folder: "d", isFailed: false },
    { kind: "remove", path: "d/c" },
    { kind: "open", path: "d/a", file: 0, access: "reading" },
  ]);
  expect(volume.initial).toEqual({ "d/a": two });
});

test("counts syncs and bytes, failed syncs apart", async () => {
  const volume = new RecordingVolume({ a: two, b: two });
  const [a, b] = [await volume.openForWriting("a"), await volume.openForWriting("b")];
  await a.write(0, two);
  await b.write(0, new Uint8Array(5));
  await a.sync();
  (b as never as { failSync(): void }).failSync();
  await volume.syncFolderOf("a");
  volume.failFolderSync("a");
  expect([volume.syncCount, volume.folderSyncCount]).toEqual([1, 1]);
  expect([volume.bytesWritten(), volume.bytesWritten("a"), volume.bytesWritten("b")]).toEqual([7, 2, 5]);
});

test("a call that fails is not recorded", async () => {
  const volume = new RecordingVolume({ a: two });
  const file = await volume.openForWriting("a");
  await expect(file.write(-1, two)).rejects.toThrow();
  await expect(volume.rename("x", "y")).rejects.toThrow();
  await volume.remove("x");
  expect(volume.operations).toHaveLength(1);
});

test("files keep their identity through renames and wrappers", async () => {
  const volume = new RecordingVolume({ a: two, b: two });
  const wrapped = new WrappedVolume(volume);
  const file = await wrapped.openForWriting("a");
  expect(await wrapped.isSameFile("a", file)).toBe(true);
  await wrapped.rename("a", "b");
  expect(await wrapped.isSameFile("b", file)).toBe(true);
  await file.write(0, new Uint8Array([9]));
  expect(volume.operations.at(-1)).toMatchObject({ kind: "write", file: 0 });
  await wrapped.openForReading("b");
  expect(volume.operations.at(-1)).toMatchObject({ kind: "open", file: 0 });
  expect(recordingUnder(wrapped)).toBe(volume);
  expect((await wrapped.otherUsers(file)).found).toEqual([]);
});
