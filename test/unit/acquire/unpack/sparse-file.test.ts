/** Files with holes, and files without their zeros. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PackedWriter, packedBytes } from "../../../../src/acquire/cache/packed-file.ts";
import { SparseFile } from "../../../../src/acquire/unpack/sparse-file.ts";
import { type TestFolder, testFolder } from "../../../support/acquiring.ts";
import { allOf, inChunks } from "../../../support/bytes-in-chunks.ts";
import { seededRandom } from "../../../support/random.ts";

const limits = { length: 2 ** 30, allocated: 2 ** 30 };
let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder[Symbol.dispose]());

/** Data and zeros by turns, of lengths around those of pages and blocks; the last run is zeros. */
function patchwork(seed: number): Buffer {
  const random = seededRandom(seed);
  const lengths = [1, 4095, 4096, 4097, 65_535, 65_536, 131_073, 300_000];
  return Buffer.concat(
    Array.from({ length: 12 }, (_, n) => Buffer.alloc(random.pick(lengths), n % 2 === 0 ? random.below(255) + 1 : 0)),
  );
}

test.each([1, 2, 3, 4])("the same bytes, whatever the chunks, holes where zeros were (seed %d)", async (seed) => {
  const bytes = patchwork(seed);
  for (const length of [1000, 4096, 65_536, 100_001]) {
    const path = join(folder.path, `sparse-${length}`);
    const file = await SparseFile.create(path, limits);
    for await (const chunk of inChunks(bytes, length)) await file.write(chunk);
    await file.finish();
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(file.length).toBe(bytes.length);

    const packed = join(folder.path, `packed-${length}`);
    const writer = await PackedWriter.create(packed);
    for await (const chunk of inChunks(bytes, length)) await writer.write(chunk);
    const runs = await writer.finish();
    expect(statSync(packed).size).toBe(writer.written);
    expect((await allOf(packedBytes(packed, runs))).equals(bytes)).toBe(true);
  }
});

test("zeros take no space", async () => {
  const file = await SparseFile.create(join(folder.path, "zeros"), { length: 2 ** 30, allocated: 4096 });
  const zeros = Buffer.alloc(2 ** 20);
  for (let count = 0; count < 64; count++) await file.write(zeros);
  await file.write(Buffer.from("x"));
  await file.finish();
  expect(file.allocated).toBe(1);
  expect(statSync(file.path).size).toBe(2 ** 26 + 1);

  const writer = await PackedWriter.create(join(folder.path, "packed"));
  for (let count = 0; count < 64; count++) await writer.write(zeros);
  await writer.write(Buffer.from("x"));
  expect(await writer.finish()).toEqual([0, 2 ** 26, 1]);
});

test("limits of length and of space, before anything beyond them is written", async () => {
  const long = await SparseFile.create(join(folder.path, "a"), { length: 10, allocated: 100 });
  await long.write(Buffer.alloc(10, 1));
  await expect(long.write(Buffer.alloc(1))).rejects.toMatchObject({ kind: "out-of-bounds" });
  await long.abandon();
  const full = await SparseFile.create(join(folder.path, "b"), { length: 100, allocated: 10 });
  await expect(full.write(Buffer.alloc(11, 1))).rejects.toMatchObject({ kind: "no-space" });
  await full.abandon();
  expect(statSync(full.path).size).toBe(0);
});

test("an existing file is not written to", async () => {
  const file = await SparseFile.create(join(folder.path, "a"), limits);
  await file.finish();
  await expect(SparseFile.create(file.path, limits)).rejects.toMatchObject({ kind: "in-use" });
});

test("a packed file that is shorter than it says fails", async () => {
  const writer = await PackedWriter.create(join(folder.path, "a"));
  await writer.write(Buffer.alloc(100, 1));
  await writer.finish();
  await expect(allOf(packedBytes(join(folder.path, "a"), [101]))).rejects.toThrow("it ends at byte 100");
});
