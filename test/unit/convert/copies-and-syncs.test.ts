import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { executeEpoch } from "../../../src/convert/execute/execute.ts";
import { firstOtherCopy } from "../../../src/convert/execute/written.ts";
import type { Epoch } from "../../../src/image/write.ts";
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
