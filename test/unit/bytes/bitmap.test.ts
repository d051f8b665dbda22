import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bitmap, MAX_BITS } from "../../../src/bytes/bitmap.ts";

const SIZE = 200;

describe("bitmap", () => {
  it("answers as a set of numbers does", () => {
    const run = fc.tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 0, max: 90 }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), fc.integer({ min: 0, max: SIZE }), (runs, from) => {
        const bitmap = new Bitmap(SIZE);
        const set = new Set<number>();
        for (const [first, wanted] of runs) {
          const count = Math.min(wanted, SIZE - first);
          const places = Array.from({ length: count }, (_, at) => first + at);
          expect(bitmap.mark(first, count)).toBe(places.filter((place) => set.has(place)).length);
          for (const place of places) set.add(place);
        }
        const all = Array.from({ length: SIZE }, (_, place) => place);
        expect(all.filter((place) => bitmap.has(place))).toEqual(all.filter((place) => set.has(place)));
        expect(bitmap.markedCount).toBe(set.size);
        expect(bitmap.markedEnd).toBe(Math.max(0, ...[...set].map((place) => place + 1)));
        const rest = all.slice(from);
        expect(bitmap.nextMarked(from, SIZE)).toBe(rest.find((place) => set.has(place)) ?? SIZE);
        expect(bitmap.nextFree(from, SIZE)).toBe(rest.find((place) => !set.has(place)) ?? SIZE);
        const below = all.slice(0, from).filter((place) => set.has(place));
        expect(bitmap.markedEndBelow(from)).toBe((below.at(-1) ?? -1) + 1);
        for (const [first, wanted] of runs) {
          const places = all.slice(first, first + Math.ceil(wanted / 2));
          expect(bitmap.clear(first, places.length)).toBe(places.filter((place) => set.delete(place)).length);
        }
        expect(all.filter((place) => bitmap.has(place))).toEqual(all.filter((place) => set.has(place)));
        expect(bitmap.markedCount).toBe(set.size);
      }),
    );
  });

  it("holds as many bits as it may have, and tells the far ones apart", () => {
    const bitmap = new Bitmap(MAX_BITS);
    expect(bitmap.mark(MAX_BITS - 40, 40)).toBe(0);
    expect(bitmap.mark(MAX_BITS - 1, 1)).toBe(1);
    expect(bitmap.markedCount).toBe(40);
    expect(bitmap.markedEnd).toBe(MAX_BITS);
    expect(bitmap.has(MAX_BITS - 41)).toBe(false);
    expect(bitmap.nextMarked(MAX_BITS - 100, MAX_BITS)).toBe(MAX_BITS - 40);
  });
});
