import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { OverlayStorage } from "../../../src/storage/overlay.ts";
import type { Storage } from "../../../src/storage/storage.ts";

const ones = (length: number): Uint8Array => new Uint8Array(length).fill(1);
const twos = (length: number): Uint8Array => new Uint8Array(length).fill(2);

async function readAll(storage: Storage): Promise<Uint8Array> {
  const into = new Uint8Array(await storage.size());
  expect(await storage.read(0, into)).toBe(into.length);
  return into;
}

describe("OverlayStorage", () => {
  test("reads the file with the overlaid bytes over it", async () => {
    const overlay = new OverlayStorage(memoryStorage(ones(6)), [{ hostOffset: 2, bytes: twos(2) }]);
    expect(await readAll(overlay)).toEqual(new Uint8Array([1, 1, 2, 2, 1, 1]));
    const into = new Uint8Array(2);
    expect(await overlay.read(3, into)).toBe(2);
    expect(into).toEqual(new Uint8Array([2, 1]));
  });

  test("bytes past the end make the file longer, with zeros between", async () => {
    const overlay = new OverlayStorage(memoryStorage(ones(2)), [{ hostOffset: 4, bytes: twos(1) }]);
    expect(await readAll(overlay)).toEqual(new Uint8Array([1, 1, 0, 0, 2]));
  });

  test("reads at once what it reads otherwise, where its size is set", async () => {
    const bytes = ones(6);
    const base: Storage = {
      ...memoryStorage(bytes),
      read: () => Promise.reject(new Error("not to be asked")),
      readAtOnce(hostOffset, into) {
        const there = bytes.subarray(hostOffset, hostOffset + into.length);
        into.set(there);
        return there.length;
      },
    };
    const overlaid = [{ hostOffset: 2, bytes: twos(2) }];
    expect(new OverlayStorage(base, overlaid).readAtOnce).toBeUndefined();
    const into = new Uint8Array(8).fill(9);
    expect(new OverlayStorage(base, overlaid, { size: 7 }).readAtOnce?.(1, into)).toBe(6);
    expect(into).toEqual(new Uint8Array([1, 2, 2, 1, 1, 0, 9, 9]));
    expect(new OverlayStorage(base, overlaid, { size: 3 }).readAtOnce?.(1, into)).toBe(2);
  });

  test("a size cuts or lengthens it", async () => {
    const base = memoryStorage(ones(4));
    const cut = new OverlayStorage(base, [{ hostOffset: 1, bytes: twos(3) }], { size: 2 });
    expect(await readAll(cut)).toEqual(new Uint8Array([1, 2]));
    expect(await cut.read(2, new Uint8Array(1))).toBe(0);
    expect(await cut.read(9, new Uint8Array(1))).toBe(0);
    const dirty = new Uint8Array(7).fill(9);
    expect(await new OverlayStorage(base, [], { size: 6 }).read(0, dirty)).toBe(6);
    expect(dirty).toEqual(new Uint8Array([1, 1, 1, 1, 0, 0, 9]));
  });

  test("equals the file after the same writes, whatever is read", async () => {
    const write = fc.record({ hostOffset: fc.nat(40), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(write, { maxLength: 9 }),
        fc.nat(60),
        fc.nat(60),
        async (base, writes, hostOffset, length) => {
          const end = writes.reduce((most, next) => Math.max(most, next.hostOffset + next.bytes.length), base.length);
          const expected = new Uint8Array(end);
          expected.set(base);
          for (const next of writes) expected.set(next.bytes, next.hostOffset);
          const into = new Uint8Array(length);
          const count = await new OverlayStorage(memoryStorage(base), writes).read(hostOffset, into);
          expect(into.subarray(0, count)).toEqual(expected.subarray(hostOffset, hostOffset + length));
        },
      ),
    );
  });

  test("does not need what it covers of a base that can't be read there", async () => {
    const base = memoryStorage(ones(4096));
    const torn: Storage = {
      ...base,
      async read(hostOffset, into) {
        if (hostOffset < 1024 && hostOffset + into.length > 512) throw new ImageError("io", "Cannot read", {});
        return base.read(hostOffset, into);
      },
    };
    const into = new Uint8Array(5000);
    expect(await new OverlayStorage(torn, [{ hostOffset: 512, bytes: twos(512) }]).read(0, into)).toBe(4096);
    expect([into[0], into[511], into[512], into[1023], into[1024], into[4095]]).toEqual([1, 1, 2, 2, 1, 1]);
    const lacking = new OverlayStorage(torn, [{ hostOffset: 512, bytes: twos(511) }]);
    await expect(lacking.read(0, new Uint8Array(2048))).rejects.toMatchObject({ kind: "io" });
    await expect(lacking.read(600, new Uint8Array(9))).resolves.toBe(9);
  });

  test("leaves the base open", async () => {
    let isClosed = false;
    const close = async (): Promise<void> => {
      isClosed = true;
    };
    const base = { ...memoryStorage(ones(1)), close };
    await new OverlayStorage(base, []).close();
    expect(isClosed).toBe(false);
  });

  describe("as other threads read it", () => {
    const base: Storage = { ...memoryStorage(ones(2048)), descriptor: 7 };
    const sector = [{ hostOffset: 0, bytes: twos(512) }];

    test("is the base's descriptor with the bytes over it, alone in their memory", () => {
      const [piece] = [{ hostOffset: 0, bytes: twos(4096).subarray(100, 612) }];
      const { shared } = new OverlayStorage(base, [piece], { size: 4096 });
      expect(shared).toEqual({ path: "memory", descriptor: 7, pieces: sector, size: 4096 });
      expect(shared?.pieces[0]?.bytes.buffer.byteLength).toBe(512);
    });

    test("is not told where threads could not read it: no descriptor, an overlay below, too many bytes", () => {
      expect(new OverlayStorage(memoryStorage(ones(2048)), sector).shared).toBeUndefined();
      expect(new OverlayStorage(new OverlayStorage(base, sector), sector).shared).toBeUndefined();
      expect(new OverlayStorage(base, [{ hostOffset: 0, bytes: twos(2 ** 22) }]).shared).toBeDefined();
      expect(new OverlayStorage(base, [{ hostOffset: 0, bytes: twos(2 ** 22 + 1) }]).shared).toBeUndefined();
    });
  });
});

describe("what holds data under an overlay", () => {
  const base: Storage = { ...memoryStorage(ones(100)), dataRanges: async () => RangeSet.of({ start: 10, end: 30 }) };
  const dataOf = async (overlay: OverlayStorage) => [...((await overlay.dataRanges())?.each() ?? [])];

  test("is the base's, and what lies over it, as far as the file would reach", async () => {
    const overlaid = [
      { hostOffset: 25, bytes: twos(10) },
      { hostOffset: 98, bytes: twos(5) },
    ];
    expect(await dataOf(new OverlayStorage(base, overlaid))).toEqual([
      { start: 10, end: 35 },
      { start: 98, end: 103 },
    ]);
    expect(await dataOf(new OverlayStorage(base, overlaid, { size: 26 }))).toEqual([{ start: 10, end: 26 }]);
  });

  test("is unknown where the base can't tell", async () => {
    expect(await new OverlayStorage(memoryStorage(ones(4)), []).dataRanges()).toBeUndefined();
  });
});
