/** Mappings of a disk that is grown, and of one whose zeros need no place. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../../src/image/extent.ts";
import { emptiedMapping, grownMapping, withoutZeroUnits } from "../../../src/image/grown-mapping.ts";

const { data, zero, unallocated, compressed } = ExtentState;
const UNIT = 4096;

type Row = readonly [length: number, state: ExtentState, hostOffset?: number, storedLength?: number];

function table(...rows: readonly Row[]): ExtentTable {
  const builder = new ExtentTableBuilder();
  for (const row of rows) builder.append(...row);
  return builder.finish(builder.end);
}

function rowsOf(mapping: ExtentTable): Row[] {
  return [...eachExtent(mapping)].map(({ length, state, hostOffset, storedLength }) => {
    if (state === compressed) return [length, state, hostOffset, storedLength];
    return hostOffset < 0 ? [length, state] : [length, state, hostOffset];
  });
}

describe("a disk that is grown", () => {
  test("is the same where it is long enough", () => {
    const mapping = table([UNIT, data, 0]);
    expect(grownMapping(mapping, UNIT)).toBe(mapping);
  });

  test("keeps the sector that it ends inside, where the file would go on", () => {
    expect(rowsOf(grownMapping(table([UNIT + 100, data, 512]), 3 * UNIT))).toEqual([
      [UNIT + 512, data, 512],
      [2 * UNIT - 512, unallocated],
    ]);
  });

  test("has nothing behind a hole", () => {
    const mapping = table([UNIT, data, 0], [100, zero, UNIT]);
    expect(rowsOf(grownMapping(mapping, 2 * UNIT))).toEqual([
      [UNIT, data, 0],
      [100, zero, UNIT],
      [UNIT - 100, unallocated],
    ]);
    expect(rowsOf(grownMapping(table(), 512))).toEqual([[512, unallocated]]);
  });
});

describe("a disk in one piece, in units", () => {
  const of = (mapping: ExtentTable, zeros: RangeSet, leastRun = 0) =>
    rowsOf(withoutZeroUnits(mapping, zeros, { unitSize: UNIT, leastRun, base: 512 }));

  test("holes and zeros are nothing in whole units; what is left of them lies where it is", () => {
    const mapping = table([2 * UNIT, data, 512], [2 * UNIT + 512, zero, 512 + 2 * UNIT], [UNIT - 512, data, 0]);
    expect(of(mapping, new RangeSet())).toEqual([
      [2 * UNIT, data, 512],
      [2 * UNIT, unallocated],
      [UNIT, data, 512 + 4 * UNIT],
    ]);
    // A unit that is half a hole and half zeros is one of zeros.
    expect(of(mapping, RangeSet.of({ start: 4 * UNIT + 512, end: 5 * UNIT }))).toEqual([
      [2 * UNIT, data, 512],
      [3 * UNIT, unallocated],
    ]);
  });

  test("short runs stay, and the disk's last unit may be short", () => {
    const mapping = table([3 * UNIT + 512, data, 512]);
    const zeros = RangeSet.of({ start: 0, end: UNIT }, { start: 2 * UNIT, end: 3 * UNIT + 512 });
    expect(of(mapping, zeros)).toEqual([
      [UNIT, unallocated],
      [UNIT, data, 512 + UNIT],
      [UNIT + 512, unallocated],
    ]);
    expect(of(mapping, zeros, UNIT + 1)).toEqual([
      [2 * UNIT, data, 512],
      [UNIT + 512, unallocated],
    ]);
  });
});

test("a disk with tables: only what is stored of the zeros goes, and a compressed unit only whole", () => {
  const mapping = table(
    [2 * UNIT, data, 8 * UNIT],
    [UNIT, compressed, 700, 99],
    [UNIT, zero],
    [UNIT, compressed, 900, 99],
  );
  const zeros = RangeSet.of({ start: UNIT, end: 3 * UNIT });
  expect(rowsOf(emptiedMapping(mapping, zeros, 0))).toEqual([
    [UNIT, data, 8 * UNIT],
    [3 * UNIT, unallocated],
    [UNIT, compressed, 900, 99],
  ]);
  expect(rowsOf(emptiedMapping(mapping, RangeSet.of({ start: 0, end: UNIT }), 2 * UNIT))[0]).toEqual([
    2 * UNIT,
    data,
    8 * UNIT,
  ]);
});
