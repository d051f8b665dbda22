import { describe, expect, it } from "vitest";
import { PAGE_CLUSTERS, ReferenceCounts } from "../../../../src/formats/qcow2/reference-counts.ts";
import { seededRandom } from "../../../support/random.ts";

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

  it("keeps a page as a bitmap until something counts twice", () => {
    const counts = new ReferenceCounts();
    counts.add(3, 30);
    expect(counts.bitmapOf(0)?.slice(0, 6)).toEqual(Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x01, 0));
    counts.add(32, 2);
    expect(counts.bitmapOf(0)).toBeUndefined();
    expect([counts.get(31), counts.get(32), counts.get(33), counts.get(34)]).toEqual([1, 2, 1, 0]);
  });

  it("refuses to fill the memory for references strewn over a huge file", () => {
    const counts = new ReferenceCounts();
    const strew = () => {
      for (let page = 0; page < 2 ** 20; page++) counts.add(page * PAGE_CLUSTERS);
    };
    expect(strew).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });
});
