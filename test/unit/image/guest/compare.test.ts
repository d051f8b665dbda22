import { describe, expect, test } from "vitest";
import { MiB, TiB } from "../../../../src/bytes/align.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { firstGuestDifference } from "../../../../src/image/guest/compare.ts";
import { composeGuestView, type GuestView } from "../../../../src/image/guest/view.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";

function view(file: Uint8Array, fill: (table: ExtentTableBuilder) => void): GuestView {
  const table = new ExtentTableBuilder();
  fill(table);
  const virtualSize = table.end;
  const extents = table.finish(virtualSize);
  const inflate = (stored: Uint8Array) => stored;
  return composeGuestView([
    { storage: memoryStorage(file), extents, virtualSize, clusterSize: 65536, compression: "zlib", inflate },
  ]);
}

const stored = (bytes: Uint8Array) => view(bytes, (table) => table.append(bytes.length, ExtentState.data, 0));
const empty = (size: number) => view(new Uint8Array(0), (table) => table.append(size, ExtentState.unallocated));

describe("firstGuestDifference", () => {
  test.each([0, 1, 511, MiB - 1, MiB, 3 * MiB, 3 * MiB + 99])("finds the byte %i", async (at) => {
    const [a, b] = [Buffer.alloc(3 * MiB + 100, 7), Buffer.alloc(3 * MiB + 100, 7)];
    expect(await firstGuestDifference(stored(a), stored(b))).toBeNull();
    b[at] = 8;
    expect(await firstGuestDifference(stored(a), stored(b))).toBe(at);
    expect(await firstGuestDifference(stored(b), stored(a))).toBe(at);
  });

  test("stored zeros are the zeros of holes", async () => {
    expect(await firstGuestDifference(stored(Buffer.alloc(MiB + 512)), empty(MiB + 512))).toBeNull();
  });

  test("zeros that end inside of what is read at once are followed by what follows them", async () => {
    const data = Buffer.alloc(65536, 1);
    const sparse = view(data, (table) => {
      table.append(4096, ExtentState.zero);
      table.append(65536, ExtentState.data, 0);
      table.append(100, ExtentState.unallocated);
    });
    const whole = Buffer.concat([Buffer.alloc(4096), data, Buffer.alloc(100)]);
    expect(await firstGuestDifference(stored(whole), sparse)).toBeNull();
    expect(await firstGuestDifference(sparse, stored(whole))).toBeNull();
    for (const at of [0, 4095, 4096, 69_631, 69_632, 69_731]) {
      const other = Buffer.from(whole);
      other[at] = 9;
      expect(await firstGuestDifference(sparse, stored(other))).toBe(at);
      expect(await firstGuestDifference(stored(other), sparse)).toBe(at);
    }
  });

  test("a longer disk is the same if its tail is zeros, however far it goes", async () => {
    const data = Buffer.alloc(65536, 1);
    const longer = view(data, (table) => {
      table.append(65536, ExtentState.data, 0);
      table.append(4096 * TiB, ExtentState.zero);
    });
    expect(await firstGuestDifference(stored(data), longer)).toBeNull();
    expect(await firstGuestDifference(longer, stored(data))).toBeNull();
    expect(await firstGuestDifference(stored(data), stored(Buffer.concat([data, Buffer.from([0, 0, 5])])))).toBe(65538);
    expect(await firstGuestDifference(empty(100), stored(data))).toBe(0);
    expect(await firstGuestDifference(stored(data), empty(0))).toBe(0);
  });

  test("skips what is zeros in both and still meets data after it, on either side", async () => {
    const late = view(Buffer.from("x"), (table) => {
      table.append(5 * TiB + 3, ExtentState.unallocated);
      table.append(1, ExtentState.data, 0);
      table.append(MiB, ExtentState.unallocated);
    });
    const size = 5 * TiB + 4 + MiB;
    expect(await firstGuestDifference(late, empty(size))).toBe(5 * TiB + 3);
    expect(await firstGuestDifference(empty(size), late)).toBe(5 * TiB + 3);
    expect(await firstGuestDifference(late, late)).toBeNull();
  });

  test("an aborted signal interrupts", async () => {
    const signal = AbortSignal.abort();
    await expect(firstGuestDifference(empty(1), empty(1), { signal })).rejects.toMatchObject({ kind: "interrupted" });
  });
});
