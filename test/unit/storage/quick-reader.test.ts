import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDescriptor } from "../../../src/storage/file/descriptor.ts";
import { QuickReader } from "../../../src/storage/quick-reader.ts";
import type { Storage } from "../../../src/storage/storage.ts";

/** A clock by which each read takes as long as `takes` says; a reader asks it before and after. */
function clock(takes: () => number): () => number {
  let time = 0;
  let questions = 0;
  return () => {
    // The first question is the reader's own beginning.
    if (questions++ > 0 && questions % 2 === 1) time += takes();
    return time;
  };
}

describe("QuickReader", () => {
  let folder: string;
  let storage: Storage;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "quick-reader-"));
    const path = join(folder, "file");
    writeFileSync(path, "0123456789");
    const descriptor = openSync(path, "r");
    storage = {
      path,
      readAtOnce: (hostOffset, into) => readDescriptor(descriptor, hostOffset, into, path),
      size: async () => 10,
      read: () => Promise.reject(new Error("not to be asked")),
      close: async () => closeSync(descriptor),
    };
  });
  afterAll(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  async function readsUntilPause(reader: QuickReader, most = 100): Promise<number> {
    let count = 0;
    for (; count < most && reader.isDue; count++) await reader.read(0, new Uint8Array(4));
    return count;
  }

  function pause(reader: QuickReader): number {
    let count = 0;
    for (; !reader.isDue; count++) reader.pass();
    return count;
  }

  it("leaves what it can't read to the usual way, which may do without", async () => {
    const lost: Storage = {
      ...storage,
      readAtOnce: () => {
        throw new Error("lost");
      },
      read: async (_, into) => into.fill(7).length,
    };
    const into = new Uint8Array(4);
    expect(await new QuickReader(lost).read(0, into)).toBe(4);
    expect(into).toEqual(Uint8Array.of(7, 7, 7, 7));
  });

  it("reads through the descriptor, less at the end of file", async () => {
    const reader = new QuickReader(storage);
    const bytes = new Uint8Array(6);
    expect(await reader.read(2, bytes)).toBe(6);
    expect(Buffer.from(bytes).toString()).toBe("234567");
    expect(await reader.read(7, bytes)).toBe(3);
    expect(Buffer.from(bytes).toString()).toBe("789567");
  });

  it("goes on as long as reads are quick, though one in ten is slow", async () => {
    let turn = 0;
    const reader = new QuickReader(
      storage,
      clock(() => (turn++ % 10 === 0 ? 8 : 0.02)),
    );
    expect(await readsUntilPause(reader)).toBe(100);
  });

  it("leaves a slow medium to others, and longer each time, until it is quick again", async () => {
    let takes = 0.1;
    const reader = new QuickReader(
      storage,
      clock(() => takes),
    );
    expect(await readsUntilPause(reader)).toBe(5);
    expect(pause(reader)).toBe(64);
    expect(await readsUntilPause(reader)).toBe(5);
    expect(pause(reader)).toBe(128);
    takes = 0.01;
    expect(await readsUntilPause(reader, 3)).toBe(3);
    takes = 0.1;
    await readsUntilPause(reader);
    expect(pause(reader)).toBe(64);
  });

  it("lets the event loop have its turn", async () => {
    const reader = new QuickReader(
      storage,
      clock(() => 51),
    );
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await reader.read(0, new Uint8Array(1));
    expect(turned).toBe(true);
  });

  it("is never due where there is no such read", () => {
    const { readAtOnce: _, ...without } = storage;
    expect(new QuickReader(without).isDue).toBe(false);
  });
});
