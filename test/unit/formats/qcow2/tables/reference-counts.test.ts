import { describe, expect, it } from "vitest";
import { PAGE_CLUSTERS, ReferenceCounts } from "../../../../../src/formats/qcow2/tables/reference-counts.ts";
import { seededRandom } from "../../../../support/random.ts";

describe("ReferenceCounts", () => {
  it("counts as a plain map does, across pages and widths", () => {
    const counts = new ReferenceCounts();
    const plain = new Map<number, number>();
    const random = seededRandom(24);
    for (let turn = 0; turn < 3000; turn++) {
      const first = random.below(3 * PAGE_CLUSTERS);
      const length = random.chance(0.1) ? random.below(200) : random.below(9);
      const times = random.chance(0.02) ? random.below(2 ** 33) : random.chance(0.1) ? random.below(300) : 1;
      counts.add(first, length, times);
      for (let cluster = first; cluster < first + length; cluster++) {
        if (times > 0) plain.set(cluster, (plain.get(cluster) ?? 0) + times);
      }
    }
    const listed = [...counts.each()].map(({ cluster, count }) => [cluster, count]);
    expect(listed).toEqual([...plain].sort(([a], [b]) => a - b));
    for (const [cluster, count] of plain) expect(counts.get(cluster)).toBe(count);
  });

  it("knows of any clusters whether each counts one, or none at all, and which count more", () => {
    const random = seededRandom(31);
    for (const most of [20, 300, 3000]) {
      const counts = new ReferenceCounts();
      for (let turn = 0; turn < most; turn++) {
        counts.add(random.below(2 * PAGE_CLUSTERS), 1 + random.below(30), random.chance(0.05) ? 3 : 1);
      }
      for (let turn = 0; turn < 300; turn++) {
        const first = random.below(2 * PAGE_CLUSTERS + 10);
        const length = 1 + random.below(random.pick([4, 40, 400]));
        const each = Array.from({ length }, (_, at) => counts.get(first + at));
        expect(counts.areOne(first, length)).toBe(each.every((count) => count === 1));
        expect(counts.areUnused(first, length)).toBe(each.every((count) => count === 0));
      }
      const repeated = [...counts.each()].filter(({ count }) => count > 1);
      expect([0, 1, 2].flatMap((page) => [...counts.repeatedIn(page)])).toEqual(repeated);
    }
  });

  it("keeps the bitmap of a page in which few clusters count more than one", () => {
    const counts = new ReferenceCounts();
    counts.add(0, 1000);
    counts.add(7, 60);
    expect(counts.usedOf(0)?.slice(124, 126)).toEqual(Uint8Array.of(0xff, 0));
    expect([...counts.repeatedIn(0)].length).toBe(60);
    counts.add(200, 5);
    expect(counts.usedOf(0)).toBeUndefined();
    expect([6, 7, 66, 67, 204, 205, 1000].map((cluster) => counts.get(cluster))).toEqual([1, 2, 2, 1, 2, 1, 0]);
  });

  it("keeps a page as a bitmap until something counts twice", () => {
    const counts = new ReferenceCounts();
    counts.add(3, 30);
    expect(counts.bitmapOf(0)?.slice(0, 6)).toEqual(Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x01, 0));
    counts.add(32, 2);
    expect(counts.bitmapOf(0)).toBeUndefined();
    expect([counts.get(31), counts.get(32), counts.get(33), counts.get(34)]).toEqual([1, 2, 1, 0]);
    expect([counts.areOne(3, 29), counts.areOne(3, 30), counts.areOne(33, 1)]).toEqual([true, false, true]);
  });

  it("tells a page that lists few clusters as one that has a bitmap", () => {
    const counts = new ReferenceCounts();
    const clusters = Array.from({ length: 40 }, (_, index) => (index * 7919) % PAGE_CLUSTERS);
    const bits = new Uint8Array(PAGE_CLUSTERS / 8);
    for (const cluster of clusters) {
      counts.add(cluster);
      bits[cluster >>> 3] = (bits[cluster >>> 3] as number) | (1 << (cluster & 7));
      expect(counts.bitmapOf(0)).toEqual(bits);
    }
    expect([...counts.each()].map(({ cluster }) => cluster)).toEqual(clusters.toSorted((a, b) => a - b));
    counts.add(clusters[0] as number);
    expect(counts.bitmapOf(0)).toBeUndefined();
    const [first, second] = [70_000 * PAGE_CLUSTERS + 5, 5 * PAGE_CLUSTERS + 2];
    const few = new ReferenceCounts();
    for (const cluster of [first, second, first]) few.add(cluster);
    expect([...few.each()]).toEqual([
      { cluster: second, count: 1 },
      { cluster: first, count: 2 },
    ]);
    few.add(9 * PAGE_CLUSTERS);
    expect([few.bitmapOf(5)?.[0], few.bitmapOf(9)?.[0]]).toEqual([4, 1]);
    expect(few.pageIndexes()).toEqual([5, 9, 70_000]);
    expect([few.get(first), few.get(second), few.get(second + 1)]).toEqual([2, 1, 0]);
    expect([few.isBlank(0, 5 * PAGE_CLUSTERS), few.isBlank(0, 5 * PAGE_CLUSTERS + 1)]).toEqual([true, false]);
  });

  it("refuses to fill the memory for references strewn over a huge file", () => {
    const counts = new ReferenceCounts();
    const strew = () => {
      for (let page = 0; page < 2 ** 20; page++) counts.add(page * PAGE_CLUSTERS);
    };
    expect(strew).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });
});
