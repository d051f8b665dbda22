import { describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { MeteredVolume } from "../../../src/storage/metered.ts";

const abc = new Uint8Array([1, 2, 3]);

describe("MemoryVolume", () => {
  test("copies what it is given and what it gives", async () => {
    const bytes = abc.slice();
    const volume = new MemoryVolume({ a: bytes });
    bytes[0] = 9;
    expect(volume.snapshot("a")).toEqual(abc);
    volume.snapshot("a")[0] = 9;
    expect(volume.snapshot("a")).toEqual(abc);
  });

  test("a write past the end leaves zeros between", async () => {
    const volume = new MemoryVolume({ a: abc });
    const file = await volume.openForWriting("a");
    await file.write(5, new Uint8Array([7]));
    expect(volume.snapshot("a")).toEqual(new Uint8Array([1, 2, 3, 0, 0, 7]));
  });

  test("what a shorter file gave up reads as zeros when it grows again", async () => {
    const volume = new MemoryVolume({ a: abc });
    const file = await volume.openForWriting("a");
    await file.resize(1);
    await file.resize(3);
    expect(volume.snapshot("a")).toEqual(new Uint8Array([1, 0, 0]));
    await file.resize(1);
    await file.write(2, new Uint8Array([5]));
    expect(volume.snapshot("a")).toEqual(new Uint8Array([1, 0, 5]));
  });

  test("an empty write past the end changes no length", async () => {
    const volume = new MemoryVolume({ a: abc });
    await (await volume.openForWriting("a")).write(10, new Uint8Array(0));
    expect(volume.snapshot("a")).toEqual(abc);
  });

  test("reads are short only at the end of file", async () => {
    const file = await new MemoryVolume({ a: abc }).openForReading("a");
    const into = new Uint8Array(4);
    expect(await file.read(1, into)).toBe(2);
    expect(into).toEqual(new Uint8Array([2, 3, 0, 0]));
    expect(await file.read(3, into)).toBe(0);
    expect(await file.read(30, into)).toBe(0);
  });

  test("creates a name once", async () => {
    const volume = new MemoryVolume();
    expect(await volume.createExclusively("a")).toBeDefined();
    expect(await volume.createExclusively("a")).toBeUndefined();
  });

  test("a rename replaces the name; what is open stays on its file", async () => {
    const volume = new MemoryVolume({ a: abc, b: new Uint8Array(1) });
    const [a, b] = [await volume.openForWriting("a"), await volume.openForWriting("b")];
    await volume.rename("a", "b");
    expect(volume.has("a")).toBe(false);
    expect(volume.snapshot("b")).toEqual(abc);
    expect(await volume.isSameFile("b", a)).toBe(true);
    expect(await volume.isSameFile("b", b)).toBe(false);
    expect(await b.size()).toBe(1);
  });

  test("a rename or an opening of nothing names ENOENT", async () => {
    const volume = new MemoryVolume();
    for (const attempt of [volume.rename("a", "b"), volume.openForReading("a"), volume.openForWriting("a")]) {
      await expect(attempt).rejects.toMatchObject({ kind: "io", cause: { code: "ENOENT" } });
    }
    await volume.remove("a");
  });

  test("the fingerprint changes with each write and resize", async () => {
    const volume = new MemoryVolume({ a: abc });
    const file = await volume.openForWriting("a");
    const seen = new Set([await file.fingerprint()]);
    await file.write(0, abc);
    seen.add(await file.fingerprint());
    await file.resize(3);
    seen.add(await file.fingerprint());
    expect(seen.size).toBe(3);
    expect(await (await volume.openForWriting("a")).fingerprint()).toBe(await file.fingerprint());
  });

  test("tells files from folders", async () => {
    const volume = new MemoryVolume({ "folder/a": abc });
    expect(await volume.facts("folder/a")).toEqual({ kind: "file", size: 3, linkCount: 1 });
    expect((await volume.facts("folder"))?.kind).toBe("folder");
    expect(await volume.facts("fold")).toBeUndefined();
  });

  test("refuses every use after close", async () => {
    const file = await new MemoryVolume({ a: abc }).openForWriting("a");
    await file.close();
    await file.close();
    const uses = [
      () => file.read(0, new Uint8Array(1)),
      () => file.write(0, abc),
      () => file.sync(),
      () => file.size(),
    ];
    for (const use of uses) await expect(use()).rejects.toThrow(/^Cannot .* a: it is closed$/);
  });

  test("refuses what is no address", async () => {
    const file = await new MemoryVolume({ a: abc }).openForWriting("a");
    for (const address of [-1, 0.5, Number.NaN, 2 ** 53]) {
      await expect(file.read(address, new Uint8Array(1))).rejects.toBeInstanceOf(ImageError);
      await expect(file.write(address, abc)).rejects.toBeInstanceOf(ImageError);
    }
  });
});

describe("memoryStorage", () => {
  test("reads the bytes given, without a copy", async () => {
    const bytes = abc.slice();
    const file = memoryStorage(bytes);
    bytes[2] = 8;
    const into = new Uint8Array(3);
    expect(await file.read(1, into)).toBe(2);
    expect(into).toEqual(new Uint8Array([2, 8, 0]));
    expect(await file.size()).toBe(3);
    expect(await file.read(9, into)).toBe(0);
  });
});

describe("holes in memory", () => {
  const block = 4096;
  /** Data in the first, the third and the short last block. */
  function sparse(): MemoryVolume {
    const bytes = new Uint8Array(3 * block + 10);
    bytes[5] = bytes[2 * block] = bytes[3 * block + 9] = 1;
    return new MemoryVolume({ a: bytes });
  }

  test("are told where the volume is told to tell them", async () => {
    const volume = sparse();
    expect((await volume.openForReading("a")).dataRanges).toBeUndefined();
    volume.tellsHoles = true;
    const file = await volume.openForWriting("a");
    expect([...((await file.dataRanges?.())?.each() ?? [])]).toEqual([
      { start: 0, end: block },
      { start: 2 * block, end: 3 * block + 10 },
    ]);
    await file.close();
    await expect(file.dataRanges?.()).rejects.toMatchObject({ kind: "io" });
  });

  test("a punch leaves zeros in its ranges alone, keeps the size and is a change", async () => {
    const volume = new MemoryVolume({ a: new Uint8Array(6).fill(1) });
    const file = await volume.openForWriting("a");
    const before = await file.fingerprint();
    const left = await file.punch?.(RangeSet.of({ start: 1, end: 3 }, { start: 5, end: 99 }));
    expect(left?.total).toBe(0);
    expect(volume.snapshot("a")).toEqual(new Uint8Array([1, 0, 0, 1, 1, 0]));
    expect(await file.fingerprint()).not.toBe(before);
  });

  test.each([
    [-1, 2],
    [0, 2 ** 53],
    [0.5, 2],
  ])("nothing is punched from %f to %f", async (start, end) => {
    const volume = new MemoryVolume({ a: abc });
    const file = await volume.openForWriting("a");
    await expect(file.punch?.(RangeSet.of({ start, end }))).rejects.toMatchObject({ kind: "out-of-bounds" });
    expect(volume.snapshot("a")).toEqual(abc);
  });

  test("a volume that can't punch has no such call", async () => {
    const volume = new MemoryVolume({ a: abc });
    volume.canPunch = false;
    expect((await volume.openForWriting("a")).punch).toBeUndefined();
  });

  test("what counts passes both through, and a punch writes nothing", async () => {
    const volume = sparse();
    volume.tellsHoles = true;
    const metered = new MeteredVolume(volume);
    const file = await metered.openForWriting("a");
    await file.punch?.(RangeSet.of({ start: 0, end: 4 * block }));
    expect((await file.dataRanges?.())?.total).toBe(0);
    expect(metered.meter).toEqual({ bytesWritten: 0, syncs: 0 });
    volume.canPunch = volume.tellsHoles = false;
    const plain = await metered.openForWriting("a");
    expect([plain.punch, plain.dataRanges]).toEqual([undefined, undefined]);
  });
});

test("a file that is too long for memory is a full disk, and stays as it was", async () => {
  const volume = new MemoryVolume({ disk: new Uint8Array([1, 2]) });
  const storage = await volume.openForWriting("disk");
  const full = { name: "ImageError", kind: "no-space", path: "disk" };
  await expect(storage.resize(2 ** 32 + 1)).rejects.toMatchObject(full);
  await expect(storage.write(2 ** 32, new Uint8Array(1))).rejects.toMatchObject(full);
  expect(await storage.size()).toBe(2);
});
