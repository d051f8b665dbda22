import { describe, expect, it } from "vitest";
import { watchedStorage } from "../../../../src/convert/session/watched-storage.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";

describe("watchedStorage", () => {
  it("tells of reads of both kinds, and stops both", async () => {
    const below = memoryStorage(new Uint8Array(100).fill(7));
    const storage = {
      path: "memory",
      size: () => below.size(),
      close: () => below.close(),
      read: (hostOffset: number, into: Uint8Array) => below.read(hostOffset, into),
      readAtOnce: (_: number, into: Uint8Array) => into.fill(8).length,
    };
    const stop = new AbortController();
    const done: number[] = [];
    const watched = watchedStorage(storage, { signal: stop.signal, onProgress: (step) => done.push(step.done) });
    const bytes = new Uint8Array(10);
    expect([await watched.read(0, bytes), bytes[9]]).toEqual([10, 7]);
    expect([watched.readAtOnce?.(0, bytes.subarray(0, 5)), bytes[4]]).toEqual([5, 8]);
    expect(done).toEqual([10, 15]);
    stop.abort();
    expect(() => watched.readAtOnce?.(0, bytes)).toThrow(expect.objectContaining({ kind: "interrupted" }));
    await expect(watched.read(0, bytes)).rejects.toMatchObject({ kind: "interrupted" });
  });

  it("has no blocking read where the file has none", () => {
    const watched = watchedStorage(memoryStorage(new Uint8Array(1)), { onProgress: () => {} });
    expect(watched.readAtOnce).toBeUndefined();
  });
});
