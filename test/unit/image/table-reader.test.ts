import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTables } from "../../../src/image/table-reader.ts";
import { FileVolume } from "../../../src/storage/file/file-volume.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { seededRandom } from "../../support/random.ts";

const TABLE = 512;

/** A file in which each 512 bytes hold their own number. */
function numbered(count: number): Uint8Array {
  const bytes = Buffer.alloc(count * TABLE);
  for (let index = 0; index < count; index++) bytes.writeUInt32BE(index, index * TABLE);
  return bytes;
}

async function numbersRead(storage: Storage, hostOffsets: readonly number[]): Promise<number[]> {
  const offsets = Float64Array.from(hostOffsets);
  const numbers: number[] = [];
  for await (const { first, count, bytes, hostOffset } of readTables(storage, offsets, TABLE)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = first; at < first + count; at++) numbers.push(view.getUint32((offsets[at] as number) - hostOffset));
  }
  return numbers;
}

describe("readTables", () => {
  it("yields tables in the order asked for, wherever they lie", async () => {
    const random = seededRandom(7);
    const order = Array.from({ length: 4000 }, () => random.below(20_000));
    order.push(...Array.from({ length: 5000 }, (_, index) => index * 3));
    const storage = memoryStorage(numbered(20_000));
    const offsets = order.map((table) => table * TABLE);
    expect(await numbersRead(storage, offsets)).toEqual(order);
  });

  it("joins neighbours into few reads and keeps at most eight in flight", async () => {
    const below = memoryStorage(numbered(20_000));
    let readCount = 0;
    let flying = 0;
    let most = 0;
    const storage: Storage = {
      ...below,
      path: "memory",
      size: () => below.size(),
      close: () => below.close(),
      async read(hostOffset, into) {
        readCount++;
        most = Math.max(most, ++flying);
        await Promise.resolve();
        const count = await below.read(hostOffset, into);
        flying--;
        return count;
      },
    };
    await numbersRead(
      storage,
      Array.from({ length: 20_000 }, (_, index) => index * TABLE),
    );
    expect(readCount).toBe(40);
    expect(most).toBeLessThanOrEqual(8);
  });

  it("reads zeros past the end of file", async () => {
    expect(await numbersRead(memoryStorage(numbered(3)), [2 * TABLE, 3 * TABLE])).toEqual([2, 0]);
    // Also in buffers that held other tables before.
    const backwards = Array.from({ length: 20 }, (_, index) => 20 - index);
    const offsets = [...backwards, 30, 29, 28].map((table) => table * TABLE);
    expect(await numbersRead(memoryStorage(numbered(21)), offsets)).toEqual([...backwards, 0, 0, 0]);
  });

  it("reads the same of a file on disk, at once or not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "table-reader-"));
    try {
      const path = join(folder, "file");
      await writeFile(path, numbered(6000));
      const random = seededRandom(11);
      const order = Array.from({ length: 3000 }, () => random.below(6020));
      const storage = await new FileVolume().openForReading(path);
      const expected = order.map((table) => (table < 6000 ? table : 0));
      expect(
        await numbersRead(
          storage,
          order.map((table) => table * TABLE),
        ),
      ).toEqual(expected);
      await storage.close();
      await expect(numbersRead(storage, [0])).rejects.toMatchObject({ kind: "io" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("passes a failing read on when its turn comes", async () => {
    const below = memoryStorage(numbered(3));
    const storage: Storage = {
      path: "memory",
      size: () => below.size(),
      close: () => below.close(),
      read: () => Promise.reject(new Error("EIO")),
    };
    await expect(numbersRead(storage, [0])).rejects.toThrow("EIO");
  });
});
