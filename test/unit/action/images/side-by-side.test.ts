/** What is done side by side, and what is told of it, in which order. */

import { describe, expect, test } from "vitest";
import { sideBySide } from "../../../../src/action/images/side-by-side.ts";

/** Things that end when the test says so. */
class Ends {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, () => void>();

  perform(item: number): Promise<number> {
    this.begun.push(item);
    return new Promise((resolve) => this.#ends.set(item, () => resolve(10 * item)));
  }

  async end(item: number): Promise<void> {
    this.#ends.get(item)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("room", () => {
  test("so many at once, begun in their order, results in their order", async () => {
    const ends = new Ends();
    const all = sideBySide([1, 2, 3, 4, 5], { room: 2, log: () => {} }, (item) => ends.perform(item));
    expect(ends.begun).toEqual([1, 2]);
    await ends.end(2);
    expect(ends.begun).toEqual([1, 2, 3]);
    await ends.end(3);
    await ends.end(1);
    expect(ends.begun).toEqual([1, 2, 3, 4, 5]);
    await ends.end(5);
    await ends.end(4);
    expect(await all).toEqual([10, 20, 30, 40, 50]);
  });

  test("what is larger takes more of it, and nothing that comes later goes first", async () => {
    const ends = new Ends();
    const sizeOf = (item: number) => (item === 3 ? 9 : 1);
    const all = sideBySide([1, 2, 3, 4], { room: 4, sizeOf, log: () => {} }, (item) => ends.perform(item));
    expect(ends.begun).toEqual([1, 2]);
    await ends.end(1);
    expect(ends.begun).toEqual([1, 2]);
    await ends.end(2);
    expect(ends.begun).toEqual([1, 2, 3]);
    await ends.end(3);
    expect(ends.begun).toEqual([1, 2, 3, 4]);
    await ends.end(4);
    expect(await all).toEqual([10, 20, 30, 40]);
  });

  test("nothing to do", async () =>
    expect(await sideBySide([], { room: 2, log: () => {} }, async () => 1)).toEqual([]));

  test("what nobody expected is thrown, once the others are done and told", async () => {
    const told: string[] = [];
    const before = process.listeners("exit");
    const options = { room: 2, log: (line: string) => void told.push(line) };
    const all = sideBySide([1, 2, 3], options, async (item, log) => {
      log(`${item} begins`);
      if (item === 1) throw new Error("a defect");
      await new Promise((resolve) => setImmediate(resolve));
      log(`${item} ends`);
    });
    await expect(all).rejects.toThrow("a defect");
    expect(told).toEqual(["1 begins", "2 begins", "2 ends", "3 begins", "3 ends"]);
    expect(process.listeners("exit")).toEqual(before);
  });
});

describe("lines", () => {
  test("the first's at once, each other's in one piece when it is its turn", async () => {
    const ends = new Ends();
    const told: string[] = [];
    const logs = new Map<number, (line: string) => void>();
    const options = { room: 3, log: (line: string) => void told.push(line) };
    const all = sideBySide([1, 2, 3, 4], options, (item, log) => {
      logs.set(item, log);
      log(`${item} begins`);
      return ends.perform(item);
    });
    logs.get(3)?.("3 goes on");
    logs.get(1)?.("1 goes on");
    expect(told).toEqual(["1 begins", "1 goes on"]);
    await ends.end(3);
    logs.get(2)?.("2 goes on");
    expect(told).toEqual(["1 begins", "1 goes on"]);
    await ends.end(1);
    expect(told.slice(2)).toEqual(["2 begins", "2 goes on"]);
    logs.get(2)?.("2 ends");
    await ends.end(2);
    expect(told.slice(4)).toEqual(["2 ends", "3 begins", "3 goes on", "4 begins"]);
    await ends.end(4);
    await all;
  });

  test("where the process ends before, what was kept is told", async () => {
    const ends = new Ends();
    const told: string[] = [];
    const before = process.listeners("exit");
    const options = { room: 2, log: (line: string) => void told.push(line) };
    const all = sideBySide([1, 2], options, (item, log) => {
      log(`${item} begins`);
      return ends.perform(item);
    });
    expect(told).toEqual(["1 begins"]);
    const [atExit] = process.listeners("exit").filter((listener) => !before.includes(listener));
    atExit?.(1);
    expect(told).toEqual(["1 begins", "2 begins"]);
    await ends.end(2);
    await ends.end(1);
    await all;
    expect(told).toEqual(["1 begins", "2 begins"]);
    expect(process.listeners("exit")).toEqual(before);
  });
});
