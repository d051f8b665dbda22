/** Bytes written once more: exactly those that are there, and none that were read wrong. */

import { expect, test } from "vitest";
import { MiB } from "../../../src/bytes/align.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { readTwice, rewriteRange } from "../../../src/storage/rewrite.ts";
import { WrappedStorage } from "../../support/wrapped-volume.ts";

const PATH = "/vm/disk.img";

/** Notes what is written; the n-th read gives one wrong bit. */
class NotingStorage extends WrappedStorage {
  readonly written: [start: number, end: number][] = [];
  readonly #wrongRead: number;
  #readCount = 0;

  constructor(inner: ConstructorParameters<typeof WrappedStorage>[0], wrongRead = 0) {
    super(inner);
    this.#wrongRead = wrongRead;
  }

  override async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const count = await super.read(hostOffset, into);
    if (++this.#readCount === this.#wrongRead) into[0] = (into[0] as number) ^ 1;
    return count;
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    this.written.push([hostOffset, hostOffset + bytes.length]);
    await super.write(hostOffset, bytes);
  }
}

async function opened(length: number, wrongRead = 0) {
  const bytes = new Uint8Array(length).map((_, at) => at % 251);
  const volume = new MemoryVolume({ [PATH]: bytes });
  return { volume, bytes, storage: new NotingStorage(await volume.openForWriting(PATH), wrongRead) };
}

test("each byte of a long range, and no other", async () => {
  const { volume, bytes, storage } = await opened(3 * MiB);
  await rewriteRange(storage, 100, 2 * MiB + 200);
  expect(storage.written).toEqual([
    [100, MiB + 100],
    [MiB + 100, 2 * MiB + 100],
    [2 * MiB + 100, 2 * MiB + 200],
  ]);
  expect(Buffer.compare(volume.snapshot(PATH), bytes)).toBe(0);
});

test("nothing past the end of the file, which stays as long as it is", async () => {
  const { volume, bytes, storage } = await opened(1000);
  await rewriteRange(storage, 512, 4096);
  await rewriteRange(storage, 2048, 4096);
  expect(storage.written).toEqual([[512, 1000]]);
  expect(Buffer.compare(volume.snapshot(PATH), bytes)).toBe(0);
});

test.each([1, 2])("a read that is wrong once is noticed: read %i", async (nth) => {
  const { volume, bytes, storage } = await opened(1000, nth);
  await expect(rewriteRange(storage, 0, 1000)).rejects.toMatchObject({ kind: "io", hostOffset: 0, path: PATH });
  expect(storage.written).toEqual([]);
  expect(Buffer.compare(volume.snapshot(PATH), bytes)).toBe(0);
  expect(await readTwice(storage, 8, 4)).toEqual(bytes.slice(8, 12));
});
