import { describe, expect, test } from "vitest";
import { JoinedStorage } from "../../../src/storage/joined.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";

const MiB = 1024 ** 2;
const letters = (text: string) => memoryStorage(Buffer.from(text));

describe("files as one", () => {
  test("each begins at a MiB of its own, and an address tells which one it is", async () => {
    const files = [letters("abc"), memoryStorage(Buffer.alloc(MiB, "x")), letters("de")] as const;
    const whole = await JoinedStorage.of("text", files);
    expect(files.map((file) => whole.baseOf(file))).toEqual([0, MiB, 3 * MiB]);
    const into = Buffer.alloc(4);
    expect(await whole.read(3 * MiB, into)).toBe(4);
    expect(into.toString("latin1")).toBe("de\0\0");
    expect(whole.joined.placeOf(MiB + 7)).toEqual({ file: files[1], hostOffset: 7 });
    expect(whole.joined.placeOf(3 * MiB)).toEqual({ file: files[2], hostOffset: 0 });
    expect(whole.path).toBe("text");
  });

  test("what ends one file and what begins the next never lie side by side", async () => {
    const [first, second] = [memoryStorage(Buffer.alloc(MiB)), letters("b")] as const;
    expect((await JoinedStorage.of("text", [first, second])).baseOf(second)).toBeGreaterThan(MiB);
  });

  test("closing it closes all of them, also where one can't be", async () => {
    const closed: string[] = [];
    const closing = (name: string, fails = false): Storage => ({
      ...letters(name),
      size: async () => 1,
      close: async () => {
        closed.push(name);
        if (fails) throw new Error(name);
      },
    });
    const whole = await JoinedStorage.of("text", [closing("a", true), closing("b")]);
    await expect(whole.close()).rejects.toThrow("a");
    expect(closed).toEqual(["a", "b"]);
  });
});
