/** A stretch of a file: nothing before it and nothing behind it is seen, and no thread is told to read it by itself. */

import { expect, test } from "vitest";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { sharedFileOf } from "../../../src/storage/shared-file.ts";
import { SliceStorage } from "../../../src/storage/slice.ts";
import type { Storage } from "../../../src/storage/storage.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at % 251);

function withAtOnce(): Storage {
  const inner = memoryStorage(bytes, "box.ova");
  const readAtOnce = (hostOffset: number, into: Uint8Array) => {
    into.set(bytes.subarray(hostOffset, hostOffset + into.length));
    return Math.min(into.length, Math.max(0, bytes.length - hostOffset));
  };
  return Object.assign(inner, { descriptor: 7, readAtOnce });
}

test.each(["read", "readAtOnce"] as const)("%s: its own bytes, fewer at its end, none behind it", async (verb) => {
  const slice = new SliceStorage(withAtOnce(), 100, 200);
  for (const [at, length, count] of [
    [0, 200, 200],
    [150, 100, 50],
    [200, 10, 0],
    [900, 10, 0],
  ] as const) {
    const into = new Uint8Array(length).fill(0xee);
    expect(await slice[verb]?.(at, into)).toBe(count);
    expect([...into.subarray(0, count)]).toEqual([...bytes.subarray(100 + at, 100 + at + count)]);
    expect(into.subarray(count).every((byte) => byte === 0xee)).toBe(true);
  }
});

test("its size is no more than the file has, its path the file's, and closing it closes nothing", async () => {
  const file = withAtOnce();
  const slice = new SliceStorage(file, 900, 200);
  expect([slice.path, await slice.size()]).toEqual(["box.ova", 100]);
  expect(await new SliceStorage(file, 2000, 5).size()).toBe(0);
  await slice.close();
  expect(await file.size()).toBe(1000);
});

test("nobody is told of a descriptor, whose places are others", () => {
  expect(sharedFileOf(new SliceStorage(withAtOnce(), 100, 200))).toBeUndefined();
  expect(new SliceStorage(memoryStorage(bytes), 0, 10).readAtOnce).toBeUndefined();
});
