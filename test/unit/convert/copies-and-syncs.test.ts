import type { FileHandle } from "node:fs/promises";
import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { executeEpoch } from "../../../src/convert/execute/execute.ts";
import { firstOtherCopy } from "../../../src/convert/execute/written.ts";
import type { Epoch } from "../../../src/image/write.ts";
import { FileStorage } from "../../../src/storage/file/file-storage.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import type { FileCopy, WritableStorage } from "../../../src/storage/storage.ts";

/** What is asked of a file that can copy by itself, and sync its data alone. */
async function asking(size: number): Promise<{ readonly calls: string[]; readonly storage: WritableStorage }> {
  const calls: string[] = [];
  const inner = await new MemoryVolume({ disk: new Uint8Array(size) }).openForWriting("disk");
  const storage: WritableStorage = {
    path: "disk",
    size: () => inner.size(),
    read: (hostOffset, into) => inner.read(hostOffset, into),
    fingerprint: () => inner.fingerprint(),
    close: () => inner.close(),
    async write(hostOffset, bytes) {
      calls.push(`write ${hostOffset}`);
      await inner.write(hostOffset, bytes);
    },
    async copy(copies: readonly FileCopy[]) {
      calls.push(`copy ${copies.map(({ length }) => length).join(" ")}`);
      return new RangeSet();
    },
    async resize(to) {
      calls.push(`resize ${to}`);
      await inner.resize(to);
    },
    async punch() {
      calls.push("punch");
      return new RangeSet();
    },
    async sync() {
      calls.push("sync");
    },
    async syncData() {
      calls.push("sync data");
    },
  };
  return { calls, storage };
}

const write: Epoch = { purpose: "a test", writes: () => [{ hostOffset: 4, bytes: Buffer.from("ab") }] };

test.each<[string, Epoch, boolean, string]>([
  ["of writes alone, one of many", write, true, "sync data"],
  ["of writes alone", write, false, "sync"],
  ["that keeps the length, one of many", { ...write, fileSize: 512 }, true, "sync data"],
  ["that grows", { ...write, fileSize: 1024 }, true, "sync"],
  ["that cuts", { ...write, fileSize: 256 }, true, "sync"],
  ["that gives back", { ...write, zeros: RangeSet.of({ start: 0, end: 2 }) }, true, "sync"],
])("an epoch %s is synced as it has to be", async (_, epoch, isOneOfMany, last) => {
  const { calls, storage } = await asking(512);
  await executeEpoch(storage, epoch, { isOneOfMany });
  expect(calls.at(-1)).toBe(last);
  expect(calls.filter((call) => call.startsWith("sync"))).toHaveLength(1);
});

test("copies go to a file that makes them by itself, no more than a MiB between two safe points", async () => {
  const { calls, storage } = await asking(512);
  const MiB = 2 ** 20;
  const done: number[] = [];
  let safePoints = 0;
  const hostCopies = [
    { fromHostOffset: 0, toHostOffset: 4 * MiB, length: 1.5 * MiB },
    { fromHostOffset: 2 * MiB, toHostOffset: 6 * MiB, length: 4096 },
  ];
  await executeEpoch(
    storage,
    { purpose: "a test", hostCopies },
    { onBytes: (bytes) => done.push(bytes), safePoint: () => safePoints++ },
  );
  expect(calls).toEqual([`copy ${MiB}`, `copy ${MiB / 2} 4096`, "sync"]);
  expect(done).toEqual([MiB, 1.5 * MiB + 4096]);
  expect(safePoints).toBe(2);
});

test("a copy that differs is found where it lies, past the file's end as zeros", async () => {
  const bytes = Buffer.alloc(8192, 7);
  bytes.fill(0, 6000);
  const copies = [
    { fromHostOffset: 0, toHostOffset: 512, length: 512 },
    { fromHostOffset: 6144, toHostOffset: 9000, length: 512 },
    { fromHostOffset: 1024, toHostOffset: 4096, length: 512 },
  ];
  expect(await firstOtherCopy(memoryStorage(bytes), copies)).toBe(-1);
  bytes[4096 + 511] = 8;
  expect(await firstOtherCopy(memoryStorage(bytes), copies)).toBe(4096);
});

const MANY_COPIES: Epoch = {
  purpose: "a test",
  hostCopies: [{ fromHostOffset: 0, toHostOffset: 32 * 2 ** 20, length: 9 * 2 ** 20 }],
};

test("copies of many MiB are on their way to the medium before the sync, and those of few wait for it", async () => {
  const { calls, storage } = await asking(512);
  const flushing: WritableStorage = { ...storage, flush: () => calls.push("flush") };
  await executeEpoch(flushing, MANY_COPIES, { isOneOfMany: true });
  const kinds = calls.map((call) => call.replace(/ \d+$/, ""));
  expect(kinds.join()).toBe("copy,copy,copy,copy,flush,copy,copy,copy,copy,flush,copy,sync data");
  calls.length = 0;
  await executeEpoch(flushing, { ...MANY_COPIES, hostCopies: [{ fromHostOffset: 0, toHostOffset: 512, length: 512 }] });
  expect(calls).toEqual(["copy 512", "sync"]);
});

test("what is read while a sync is waited for fails the epoch, once the sync has come to its end", async () => {
  const { calls, storage } = await asking(512);
  const slow: WritableStorage = {
    ...storage,
    async sync() {
      await new Promise((resolve) => setImmediate(resolve));
      calls.push("synced");
    },
  };
  const meanwhile = async () => {
    calls.push("reading");
    throw new Error("they differ");
  };
  await expect(executeEpoch(slow, write, { meanwhile })).rejects.toThrow("they differ");
  expect(calls).toEqual(["write 4", "reading", "synced"]);
});

/** A handle whose nth fdatasync fails, and takes until all else that is ready has been done; fsync never fails, as after a failure that was told. */
function failingHandle(nth: number): FileHandle {
  let count = 0;
  const handle = {
    fd: -1,
    async datasync() {
      await new Promise((resolve) => setImmediate(resolve));
      if (++count === nth) throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    },
    async sync() {},
    async close() {},
  };
  return handle as unknown as FileHandle;
}

test("a flush that failed is told by the sync that waits for the same bytes, and by each later one", async () => {
  const file = new FileStorage("disk", failingHandle(1));
  file.flush();
  await expect(file.sync()).rejects.toMatchObject({ kind: "io", operation: "sync" });
  await expect(file.syncData()).rejects.toMatchObject({ kind: "io", operation: "sync" });
  // Nothing is asked for any more, so that nothing can seem to have succeeded.
  file.flush();
  await expect(file.sync()).rejects.toMatchObject({ kind: "io" });
  await file.close();
});

test("a flush is one at a time, and fails no sync where it succeeded", async () => {
  const file = new FileStorage("disk", failingHandle(3));
  file.flush();
  file.flush();
  await file.sync();
  file.flush();
  await file.sync();
  file.flush();
  await expect(file.sync()).rejects.toMatchObject({ kind: "io" });
});
