/** Units without a hole between them: what moves into holes, what holes are given to, and when neither can be. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../../src/image/extent.ts";
import type { Placement } from "../../../src/image/target.ts";
import { type GatherInput, gatherUnits, isGathered } from "../../../src/plan/gather-units.ts";
import { placeUnits } from "../../../src/plan/place-units.ts";
import { provePlan } from "../../../src/plan/proof.ts";
import { seededRandom } from "../../support/random.ts";

const { data, zero, unallocated, compressed } = ExtentState;
const UNIT = 4096;
const HEADER = RangeSet.of({ start: 0, end: UNIT });

/** Where each unit lies, in units; undefined: nowhere. */
type Places = readonly (number | undefined)[];

function tableOf(places: Places, lastLength = UNIT): ExtentTable {
  const builder = new ExtentTableBuilder();
  for (const [index, place] of places.entries()) {
    const length = index === places.length - 1 ? lastLength : UNIT;
    if (place === undefined) builder.append(length, index % 2 === 0 ? zero : unallocated);
    else builder.append(length, data, place * UNIT);
  }
  return builder.finish((places.length - 1) * UNIT + lastLength);
}

const placementOf = (latest = 100): Placement => ({
  unitSize: UNIT,
  hostAlignment: UNIT,
  reserved: HEADER,
  dense: { from: UNIT, latest: latest * UNIT },
  hasZeroState: false,
  compressed: undefined,
});

/** As the planner does it, proven as it does; places in units. */
function gathered(places: Places, { metadata = HEADER, latest = 100, lastLength = UNIT } = {}) {
  const mapping = tableOf(places, lastLength);
  const virtualSize = (places.length - 1) * UNIT + lastLength;
  const end = Math.max(0, ...places.map((place) => place ?? 0)) + 1;
  const copyStart = end * UNIT;
  const placement = placementOf(latest);
  const common = { mapping, placement, virtualSize, hasBacking: false, sourceClusterSize: UNIT };
  const apart = placeUnits({ ...common, copyStart });
  const input: GatherInput = { ...common, metadata, copyStart };
  const found = gatherUnits(apart, input);
  if (found.refusals.length === 0)
    provePlan({ ...common, ...found, source: mapping, target: found.extents, metadata, oldFileSize: copyStart });
  const inUnits: (number | undefined)[] = [];
  for (const { state, hostOffset, length } of eachExtent(found.extents))
    for (let at = 0; at < length; at += UNIT) inUnits.push(state === data ? (hostOffset + at) / UNIT : undefined);
  const zeros = [...found.zeros.each()].flatMap(({ start, end: stop }) =>
    Array.from({ length: (stop - start) / UNIT }, (_, at) => start / UNIT + at),
  );
  return { places: inUnits, zeros, moved: found.bytesMoved / UNIT, refusals: found.refusals.map(String) };
}

describe("a hole", () => {
  test("where there is none nothing moves, whatever the order, wherever the first one lies", () => {
    expect(gathered([3, 2, undefined, 4])).toEqual({ places: [3, 2, undefined, 4], zeros: [], moved: 0, refusals: [] });
    expect(gathered([undefined, undefined])).toMatchObject({ places: [undefined, undefined], moved: 0 });
    expect(gathered([7])).toMatchObject({ places: [7], moved: 0 });
  });

  test("is given to a unit that is stored nowhere", () => {
    expect(gathered([1, undefined, 3])).toEqual({ places: [1, 2, 3], zeros: [2], moved: 0, refusals: [] });
    expect(gathered([undefined, 5, undefined, 2, undefined, undefined])).toMatchObject({
      places: [3, 5, 4, 2, undefined, undefined],
      zeros: [3, 4],
    });
  });

  test("takes in what lies beyond as many places as the disk has units", () => {
    expect(gathered([1, 9, 3])).toEqual({ places: [1, 2, 3], zeros: [], moved: 1, refusals: [] });
    expect(gathered([8, undefined, 2, 20])).toMatchObject({ places: [3, undefined, 2, 4], zeros: [], moved: 2 });
  });

  test("lies before all units where the first can't lie so far behind", () => {
    expect(gathered([9, undefined, 10], { latest: 8 })).toMatchObject({ places: [9, 8, 10], zeros: [8], moved: 0 });
    expect(gathered([1, 30, 31, undefined])).toMatchObject({ places: [32, 30, 31, undefined], moved: 1 });
    expect(gathered([20, undefined], { latest: 8 })).toMatchObject({ places: [8, undefined], zeros: [], moved: 1 });
  });

  test("stays one where there are few for all that would move", () => {
    const far: Places = [1, ...Array(18).fill(undefined), 20];
    expect(gathered(far)).toMatchObject({ zeros: [], moved: 1 });
    expect(gathered([1, undefined, undefined, 4])).toMatchObject({ places: [1, 2, 3, 4], zeros: [2, 3], moved: 0 });
  });

  test("a short last unit has a whole place", () => {
    expect(gathered([1, undefined, 4], { lastLength: 512 })).toMatchObject({ places: [1, undefined, 2], moved: 1 });
  });

  test("something else in it is refused", () => {
    const metadata = RangeSet.of({ start: 0, end: UNIT }, { start: 2 * UNIT, end: 2 * UNIT + 512 });
    const { refusals } = gathered([1, undefined, 3], { metadata });
    expect(refusals).toEqual([
      "Something else lies between the units from host offset 0x1000 on, where the target must not have a hole",
    ]);
    expect(isGathered(tableOf([1, undefined, 3]), metadata, placementOf(), UNIT)).toBe(false);
  });
});

test("any places: dense, proven, and no more moved or filled than has to be", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const count = 1 + random.below(24);
    const latest = 1 + random.below(60);
    const all = random.shuffle(Array.from({ length: count + random.below(36) }, (_, at) => at + 1));
    const places = Array.from({ length: count }, (_, at) => (random.chance(0.6) ? all[at] : undefined));
    const found = gathered(places, { latest, lastLength: random.chance(0.3) ? 512 : UNIT });
    const taken = found.places.filter((place) => place !== undefined).sort((a, b) => a - b);
    expect(found.refusals, `seed ${seed}`).toEqual([]);
    expect(
      taken.every((place, at) => place === (taken[0] as number) + at),
      `seed ${seed}`,
    ).toBe(true);
    const staying = places.filter((place, at) => place !== undefined && place === found.places[at]).length;
    const stored = places.filter((place) => place !== undefined);
    expect(stored.length - staying, `seed ${seed}`).toBe(found.moved);
    for (const width of [stored.length, count]) {
      const most = Array.from({ length: latest }, (_, at) => stored.filter((p) => p > at && p <= at + width).length);
      const least = stored.length - Math.max(0, ...most);
      expect(found.moved + found.zeros.length / 4, `seed ${seed}`).toBeLessThanOrEqual(
        least + (width - stored.length) / 4,
      );
    }
  }
});

test("only what stays whole, with nothing between, needs no carrier before it", () => {
  const builder = new ExtentTableBuilder();
  builder.append(UNIT, compressed, UNIT, 100);
  expect(isGathered(builder.finish(UNIT), HEADER, placementOf(), UNIT)).toBe(false);
  expect(isGathered(tableOf([1, 3]), HEADER, placementOf(), UNIT)).toBe(true);
  expect(isGathered(tableOf([1, 3]), HEADER, placementOf(), UNIT / 2)).toBe(false);
  const behind = RangeSet.of({ start: 0, end: UNIT }, { start: 4 * UNIT, end: 5 * UNIT });
  expect(isGathered(tableOf([1, 3]), behind, placementOf(), UNIT)).toBe(true);
});
