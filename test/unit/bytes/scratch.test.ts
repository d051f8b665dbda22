import { describe, expect, test } from "vitest";
import { KiB, MiB } from "../../../src/bytes/align.ts";
import { giveScratchBack, takeScratch } from "../../../src/bytes/scratch.ts";

describe("scratch buffers", () => {
  test("are as long as asked for, and nobody has one that another has", () => {
    const lengths = [0, 1, 64 * KiB, 64 * KiB + 1, 300_000, MiB, MiB + 1, 5 * MiB];
    // The first time they are new, then some of them are others'.
    for (let turn = 0; turn < 3; turn++) {
      const taken = lengths.flatMap((length) => [takeScratch(length), takeScratch(length)]);
      for (const [at, buffer] of taken.entries())
        expect(buffer.length).toBeGreaterThanOrEqual(lengths[at >> 1] as number);
      expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(taken.length);
      for (const buffer of taken) giveScratchBack(buffer);
    }
  });

  test("are handed on, to one at a time", () => {
    const first = takeScratch(100_000);
    giveScratchBack(first);
    const second = takeScratch(128 * KiB);
    expect(second === first).toBe(true);
    expect(takeScratch(128 * KiB) === second).toBe(false);
  });

  test("of which there are enough, or that are too long, are not kept", () => {
    const taken = Array.from({ length: 10 }, () => takeScratch(MiB));
    for (const buffer of taken) giveScratchBack(buffer);
    const again = Array.from({ length: 10 }, () => takeScratch(MiB));
    expect(again.filter((buffer) => taken.includes(buffer))).toHaveLength(4);
    const long = takeScratch(2 * MiB);
    giveScratchBack(long);
    expect(takeScratch(2 * MiB) === long).toBe(false);
  });
});
