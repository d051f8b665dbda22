/** Two mappings walked in step: every run is the longest that both tables hold in one row, to the longer disk's end. */

import { expect, test } from "vitest";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../src/image/extent.ts";
import { SideBySide } from "../../../src/image/side-by-side.ts";

/** Rows of these lengths; states alternate, so that no two become one. */
function table(...lengths: readonly number[]): ExtentTable {
  const builder = new ExtentTableBuilder();
  for (const [row, length] of lengths.entries()) {
    builder.append(length, row % 2 === 0 ? ExtentState.zero : ExtentState.unallocated);
  }
  return builder.finish(lengths.reduce((sum, length) => sum + length, 0));
}

/** [guest offset, its end, row of a, row of b, is past an end] of each run. */
function runsOf(a: ExtentTable, b: ExtentTable): readonly (readonly [number, number, number, number, boolean])[] {
  const runs: [number, number, number, number, boolean][] = [];
  const run = new SideBySide(a, b);
  while (run.next()) runs.push([run.guestOffset, run.guestEnd, run.rowA, run.rowB, run.isPastAnEnd]);
  expect(run.next()).toBe(false);
  return runs;
}

test("rows are cut where the other table's begin", () => {
  expect(runsOf(table(3, 4, 5), table(4, 3, 5))).toEqual([
    [0, 3, 0, 0, false],
    [3, 4, 1, 0, false],
    [4, 7, 1, 1, false],
    [7, 12, 2, 2, false],
  ]);
});

test("what only one of the disks has is walked too, whichever is longer", () => {
  const [short, long] = [table(2), table(3, 4)];
  expect(runsOf(short, long)).toEqual([
    [0, 2, 0, 0, false],
    [2, 3, 1, 0, true],
    [3, 7, 1, 1, true],
  ]);
  expect(runsOf(long, short)).toEqual([
    [0, 2, 0, 0, false],
    [2, 3, 0, 1, true],
    [3, 7, 1, 1, true],
  ]);
});

test("empty disks have no runs", () => {
  expect(runsOf(table(), table())).toEqual([]);
  expect(runsOf(table(), table(5))).toEqual([[0, 5, 0, 0, true]]);
  expect(runsOf(table(5), table())).toEqual([[0, 5, 0, 0, true]]);
});

test("beyond 2^32 too", () => {
  const far = 2 ** 52;
  expect(runsOf(table(far, 1), table(far + 1))).toEqual([
    [0, far, 0, 0, false],
    [far, far + 1, 1, 0, false],
  ]);
});
