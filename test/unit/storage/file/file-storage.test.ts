import type { FileHandle } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { MiB } from "../../../../src/bytes/align.ts";
import { FileStorage } from "../../../../src/storage/file/file-storage.ts";

/** A handle that takes and gives at most `atOnce` bytes a call, as a kernel may. */
class ShortHandle {
  readonly fd = 5;
  readonly bytes: Uint8Array;
  readonly atOnce: number;
  readonly calls: number[] = [];

  constructor(bytes: Uint8Array, atOnce: number) {
    this.bytes = bytes;
    this.atOnce = atOnce;
  }

  async read(into: Uint8Array, start: number, length: number, position: number) {
    this.calls.push(length);
    const part = this.bytes.subarray(position, position + Math.min(length, this.atOnce));
    into.set(part, start);
    return { bytesRead: part.length };
  }

  async write(from: Uint8Array, start: number, length: number, position: number) {
    this.calls.push(length);
    const part = from.subarray(start, start + Math.min(length, this.atOnce));
    this.bytes.set(part, position);
    return { bytesWritten: part.length };
  }
}

function storageOn(handle: object): FileStorage {
  return new FileStorage("disk.qed", handle as FileHandle);
}

function failing(code: string): FileStorage {
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error(`${code}: from a test`), { code });
  };
  return storageOn({ read: fail, write: fail, sync: fail, truncate: fail, stat: fail });
}

describe("short reads and writes", () => {
  test("are gone on with", async () => {
    const handle = new ShortHandle(
      Uint8Array.from({ length: 10 }, (_, at) => at),
      3,
    );
    const into = new Uint8Array(7);
    expect(await storageOn(handle).read(2, into)).toBe(7);
    expect([...into]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    await storageOn(handle).write(1, new Uint8Array(8).fill(9));
    expect([...handle.bytes]).toEqual([0, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
  });

  test("end at the end of file", async () => {
    expect(await storageOn(new ShortHandle(new Uint8Array(5), 3)).read(1, new Uint8Array(9))).toBe(4);
  });

  test("a write of nothing does not go on for ever", async () => {
    const storage = storageOn(new ShortHandle(new Uint8Array(5), 0));
    await expect(storage.write(3, new Uint8Array(1))).rejects.toThrow("Cannot write to disk.qed at host offset 0x3");
  });

  test("large ones are split", async () => {
    const handle = new ShortHandle(new Uint8Array(33 * MiB), 64 * MiB);
    await storageOn(handle).write(0, new Uint8Array(33 * MiB));
    expect(handle.calls).toEqual([16 * MiB, 16 * MiB, MiB]);
    handle.calls.length = 0;
    expect(await storageOn(handle).read(0, new Uint8Array(33 * MiB))).toBe(33 * MiB);
    expect(handle.calls).toEqual([16 * MiB, 16 * MiB, MiB]);
  });
});

describe("errors", () => {
  test.each(["ENOSPC", "EDQUOT", "EFBIG"])("%s is no-space", async (code) => {
    await expect(failing(code).write(0, new Uint8Array(1))).rejects.toMatchObject({ kind: "no-space" });
    await expect(failing(code).resize(9)).rejects.toMatchObject({ kind: "no-space", operation: "resize" });
    await expect(failing(code).sync()).rejects.toMatchObject({ kind: "no-space", operation: "sync" });
  });

  test("all others are io, with place and cause", async () => {
    await expect(failing("EIO").read(0x1f0000, new Uint8Array(1))).rejects.toMatchObject({
      kind: "io",
      path: "disk.qed",
      hostOffset: 0x1f0000,
      operation: "read",
      cause: { code: "EIO" },
      message: expect.stringMatching(
        /^Cannot read disk\.qed at host offset 0x1f0000: the disk reports an error \(EIO\)/,
      ),
    });
    await expect(failing("EXYZ").size()).rejects.toThrow("Cannot read the size of disk.qed: EXYZ: from a test");
  });

  test("a failed sync is never retried", async () => {
    let count = 0;
    const storage = storageOn({
      sync: async () => {
        if (++count === 1) throw Object.assign(new Error("EIO"), { code: "EIO" });
      },
    });
    await expect(storage.sync()).rejects.toMatchObject({ kind: "io" });
    await expect(storage.sync()).rejects.toMatchObject({ kind: "io" });
    expect(count).toBe(1);
  });

  test("a file beyond 2^53 bytes is refused", async () => {
    const storage = storageOn({ stat: async () => ({ size: 2n ** 53n }) });
    await expect(storage.size()).rejects.toMatchObject({ kind: "unsupported" });
  });
});
