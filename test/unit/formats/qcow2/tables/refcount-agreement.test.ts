import { expect, it } from "vitest";
import { setRefcount } from "../../../../../src/formats/qcow2/tables/refcount.ts";
import { amissIn, judge, lastUsed } from "../../../../../src/formats/qcow2/tables/refcount-agreement.ts";
import { PAGE_CLUSTERS, ReferenceCounts } from "../../../../../src/formats/qcow2/tables/reference-counts.ts";
import { seededRandom } from "../../../../support/random.ts";

const PAGE = 2;
const START = PAGE * PAGE_CLUSTERS;

it.each([1, 8, 16, 64])("finds each refcount of %i bits that is not as counted, and knows most that are", (bits) => {
  const random = seededRandom(bits);
  for (let turn = 0; turn < 40; turn++) {
    const length = random.pick([64, 500, 4096]);
    const counts = new ReferenceCounts();
    const others = new ReferenceCounts();
    const block = new Uint8Array((length * bits) / 8 + 8);
    const view = new DataView(block.buffer);
    const wrong = new Set<number>();
    const fullness = random.pick([0, 0.5, 1]);
    for (let slot = 0; slot < length; slot++) {
      const count = random.chance(fullness) ? 1 : 0;
      if (count > 0) counts.add(START + slot);
      setRefcount(view, slot, bits, count);
    }
    for (let left = random.below(4); left > 0; left--) {
      const slot = random.below(length);
      wrong.add(START + slot);
      const kind = random.below(3);
      if (kind === 0) setRefcount(view, slot, bits, 1 - counts.get(START + slot));
      else if (kind === 1) others.add(START + slot);
      else counts.add(START + slot, 1, 2);
    }
    const used = counts.usedOf(PAGE) as Uint8Array;
    const amiss = amissIn(PAGE, counts, others) as Uint8Array;
    const stretch = { block, refcountBits: bits, firstOfBlock: START, first: START, end: START + length, used, amiss };
    const looked = new Set<number>();
    let next = START;
    for (const { first, end, agrees } of judge(stretch)) {
      expect(first).toBe(next);
      next = end;
      for (let cluster = first; cluster < end && !agrees; cluster++) looked.add(cluster);
    }
    expect(next).toBe(START + length);
    for (const cluster of wrong) expect(looked).toContain(cluster);
    // What is left of eight at the end, and where other widths count anything.
    if (bits === 16) expect(looked.size).toBeLessThanOrEqual(8 * (wrong.size + 1));
  }
});

it("tells the last cluster in use", () => {
  const counts = new ReferenceCounts();
  counts.add(START + 9, 40);
  const used = counts.usedOf(PAGE) as Uint8Array;
  expect(lastUsed(used, START, START, START + 4096)).toBe(START + 48);
  expect(lastUsed(used, START, START + 56, START + 4096)).toBe(-1);
});
