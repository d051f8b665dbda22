import { describe, expect, test } from "vitest";
import { type Range, RangeSet } from "../../../src/bytes/range-set.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { StretchedStorage } from "../../../src/storage/stretches.ts";

const letters = (text: string) => memoryStorage(Buffer.from(text));

async function readAt(storage: StretchedStorage, hostOffset: number, length: number): Promise<string> {
  const into = Buffer.alloc(length, "?");
  return into.toString("latin1", 0, await storage.read(hostOffset, into)).replaceAll("\0", ".");
}

describe("a file made of stretches", () => {
  const whole = new StretchedStorage("whole", [
    { storage: letters("xxABCxx"), hostOffset: 2, length: 3 },
    { storage: letters("DE"), hostOffset: 0, length: 4 },
    { storage: letters("xFG"), hostOffset: 1, length: 2 },
  ]);

  test("is as long as all of them, and reads across their borders", async () => {
    expect(await whole.size()).toBe(9);
    expect(await readAt(whole, 0, 9)).toBe("ABCDE..FG");
    expect(await readAt(whole, 2, 3)).toBe("CDE");
    expect(await readAt(whole, 4, 4)).toBe("E..F");
  });

  test("ends where the last one does, and nowhere before", async () => {
    expect(await readAt(whole, 7, 10)).toBe("FG");
    expect(await readAt(whole, 9, 4)).toBe("");
    expect(await readAt(whole, 100, 4)).toBe("");
  });

  test("may be one stretch, as the member of an archive is: what lies beside it is not seen", async () => {
    const member = new StretchedStorage("member", [{ storage: letters("headDISKtail"), hostOffset: 4, length: 4 }]);
    expect(await readAt(member, 0, 100)).toBe("DISK");
  });

  test("closing it closes nothing", async () => {
    const storage = letters("abc");
    await new StretchedStorage("part", [{ storage, hostOffset: 0, length: 3 }]).close();
    expect(await storage.read(0, new Uint8Array(3))).toBe(3);
  });
});

describe("what holds data in stretches", () => {
  const told = (...ranges: readonly Range[]) => ({
    ...letters("0123456789"),
    dataRanges: async () => RangeSet.of(...ranges),
  });

  test("lies where the parts have theirs; a part that can't tell is data", async () => {
    const sparse = told({ start: 0, end: 3 }, { start: 6, end: 9 });
    const whole = new StretchedStorage("whole", [
      { storage: sparse, hostOffset: 2, length: 5 },
      { storage: letters("xy"), hostOffset: 0, length: 2 },
      { storage: sparse, hostOffset: 3, length: 3 },
      { storage: sparse, hostOffset: 8, length: 4 },
    ]);
    expect([...((await whole.dataRanges())?.each() ?? [])]).toEqual([
      { start: 0, end: 1 },
      { start: 4, end: 7 },
      { start: 10, end: 11 },
    ]);
  });
});
