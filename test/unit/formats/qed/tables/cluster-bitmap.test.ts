import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClusterBitmap } from "../../../../../src/formats/qed/tables/cluster-bitmap.ts";

const SIZE = 200;

describe("cluster bitmap", () => {
  it("answers as a set of numbers does", () => {
    const run = fc.tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 0, max: 90 }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), fc.integer({ min: 0, max: SIZE }), (runs, from) => {
        const bitmap = new ClusterBitmap(SIZE);
        const set = new Set<number>();
        for (const [first, wanted] of runs) {
          const count = Math.min(wanted, SIZE - first);
          const clusters = Array.from({ length: count }, (_, at) => first + at);
          expect(bitmap.mark(first, count)).toBe(clusters.filter((cluster) => set.has(cluster)).length);
          for (const cluster of clusters) set.add(cluster);
        }
        const all = Array.from({ length: SIZE }, (_, cluster) => cluster);
        expect(all.filter((cluster) => bitmap.has(cluster))).toEqual(all.filter((cluster) => set.has(cluster)));
        expect(bitmap.markedCount).toBe(set.size);
        expect(bitmap.markedEnd).toBe(Math.max(0, ...[...set].map((cluster) => cluster + 1)));
        const rest = all.slice(from);
        expect(bitmap.nextMarked(from, SIZE)).toBe(rest.find((cluster) => set.has(cluster)) ?? SIZE);
        expect(bitmap.nextFree(from, SIZE)).toBe(rest.find((cluster) => !set.has(cluster)) ?? SIZE);
      }),
    );
  });
});
