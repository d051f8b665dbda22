import { fstatSync, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { KiB, MiB } from "../../../../src/bytes/align.ts";
import { FileStorage } from "../../../../src/storage/file/file-storage.ts";

vi.mock("node:fs", { spy: true });

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
    return { bytesRead: this.readAtOnce(into, start, length, position) };
  }

  readAtOnce(into: Uint8Array, start: number, length: number, position: number): number {
    this.calls.push(length);
    const part = this.bytes.subarray(position, position + Math.min(length, this.atOnce));
    into.set(part, start);
    return part.length;
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

afterEach(() => vi.mocked(readSync).mockReset());

/** What comes from memory is read by blocking calls. */
function shortReadsFrom(handle: ShortHandle): ShortHandle {
  vi.mocked(readSync).mockImplementation(((_: number, into: Uint8Array, start: number, length: number, at: number) =>
    handle.readAtOnce(into, start, length, at)) as typeof readSync);
  return handle;
}

function failing(code: string): FileStorage {
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error(`${code}: from a test`), { code });
  };
  return storageOn({ read: fail, write: fail, sync: fail, truncate: fail });
}

describe("short reads and writes", () => {
  test("are gone on with", async () => {
    const bytes = Uint8Array.from({ length: 10 }, (_, at) => at);
    const handle = shortReadsFrom(new ShortHandle(bytes, 3));
    const into = new Uint8Array(7);
    expect(await storageOn(handle).read(2, into)).toBe(7);
    expect([...into]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    await storageOn(handle).write(1, new Uint8Array(8).fill(9));
    expect([...handle.bytes]).toEqual([0, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
  });

  test("end at the end of file", async () => {
    const handle = shortReadsFrom(new ShortHandle(new Uint8Array(5), 3));
    expect(await storageOn(handle).read(1, new Uint8Array(9))).toBe(4);
  });

  test("long ones, which block nobody, are gone on with too", async () => {
    const handle = new ShortHandle(new Uint8Array(MiB).fill(7), 300 * KiB);
    const into = new Uint8Array(2 * MiB);
    expect(await storageOn(handle).read(0, into)).toBe(MiB);
    expect(into.lastIndexOf(7)).toBe(MiB - 1);
    expect(vi.mocked(readSync)).not.toHaveBeenCalled();
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
    // A medium that has lost a sector says so each time.
    vi.mocked(readSync).mockImplementation(() => {
      throw Object.assign(new Error("EIO: from a test"), { code: "EIO" });
    });
    for (const length of [1, MiB])
      await expect(failing("EIO").read(0x1f0000, new Uint8Array(length))).rejects.toMatchObject({
        kind: "io",
        path: "disk.qed",
        hostOffset: 0x1f0000,
        operation: "read",
        cause: { code: "EIO" },
        message: expect.stringMatching(
          /^Cannot read disk\.qed at host offset 0x1f0000: the disk reports an error \(EIO\)/,
        ),
      });
    vi.mocked(fstatSync).mockImplementationOnce(() => {
      throw Object.assign(new Error("EXYZ: from a test"), { code: "EXYZ" });
    });
    await expect(failing("EIO").size()).rejects.toThrow("Cannot read the size of disk.qed: EXYZ: from a test");
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
    vi.mocked(fstatSync).mockReturnValueOnce({ size: 2n ** 53n } as never);
    await expect(storageOn({ fd: 5 }).size()).rejects.toMatchObject({ kind: "unsupported" });
  });
});
