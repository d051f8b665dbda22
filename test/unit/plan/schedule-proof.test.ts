/** The schedule's proof: each thing that it shows, broken once. */

import { describe, expect, test } from "vitest";
import type { CompactInput, FixedInput, Schedule } from "../../../src/plan/schedule.ts";
import { leastBytesMoved, proveSchedule } from "../../../src/plan/schedule-proof.ts";
import { movesOf, rowOf, UNIT, usedBy, type Way } from "../../support/schedule-worlds.ts";

/** As it should be foretold, but for `wrong`; all in units. */
function scheduleOf(
  epochs: readonly (readonly Way[])[],
  foretold: { pieces?: number; end: number; peak: number },
  wrong: Partial<Schedule> = {},
): Schedule {
  const units = epochs.flat().reduce((sum, [, , length = 1]) => sum + length, 0);
  return {
    moveCount: foretold.pieces ?? units,
    bytesMoved: units * UNIT,
    epochCount: epochs.length,
    epochs: () => epochs.map(movesOf),
    end: foretold.end * UNIT,
    peakEnd: foretold.peak * UNIT,
    ...wrong,
  };
}

// 3 goes to 0, which is free, and 1 and 2 change places; 4 stays.
const wanted: Way[] = [
  [3, 0],
  [1, 2],
  [2, 1],
];
const fixed: FixedInput = {
  unitSize: UNIT,
  wanted: movesOf(wanted),
  used: usedBy(wanted, 4),
  spareStart: 5 * UNIT,
  spareBytes: 2 * UNIT,
  epochBytes: 2 * UNIT,
};
const ends = { end: 5, peak: 6 };
const right: Way[][] = [
  [
    [3, 0],
    [1, 5],
  ],
  [[2, 1]],
  [[5, 2]],
];

describe("fixed places", () => {
  test("right is proven", () => {
    expect(() => proveSchedule(fixed, scheduleOf(right, ends))).not.toThrow();
    const runs: FixedInput = { ...fixed, wanted: movesOf([[2, 0, 3]]), used: usedBy([[2, 0, 3]]) };
    const inRuns: Way[][] = [[[2, 0, 2]], [[4, 2]]];
    expect(() => proveSchedule(runs, scheduleOf(inRuns, { end: 3, peak: 5 }))).not.toThrow();
  });

  test.each<[string, Way[][], RegExp]>([
    ["a place that is live", [[[2, 1]]], /0x10000: a place is written that was live at the last barrier/],
    [
      "a place that is free only at the barrier after",
      [
        [
          [3, 0],
          [1, 5],
        ],
        [
          [2, 1],
          [5, 2],
        ],
      ],
      /0x20000: a place is written that was live/,
    ],
    ["what stays", [[[3, 4]]], /0x40000: a place is written that was live/],
    ["nothing", [[[0, 5]]], /0x0: nothing lies there/],
    ["what has left", [[[3, 0]], [[3, 5]]], /0x30000: nothing lies there/],
    [
      "two to one place",
      [
        [
          [1, 5],
          [2, 5],
        ],
      ],
      /0x50000: two moves go to one place/,
    ],
    [
      "runs that reach into each other",
      [
        [
          [1, 5, 2],
          [3, 6],
        ],
      ],
      /0x60000: two moves go to one place/,
    ],
    [
      "one to two places",
      [
        [
          [1, 5],
          [1, 6],
        ],
      ],
      /0x10000: a unit is moved to two places/,
    ],
    ["half a unit", [[[1, 5, 0.5]]], /not made of whole units/],
    ["from between two", [[[1.5, 5]]], /not made of whole units/],
    ["to between two", [[[1, 5.5]]], /not made of whole units/],
    ["no unit", [[[1, 5, 0]]], /not made of whole units/],
    ["less than no unit", [[[1, 5, -1]]], /not made of whole units/],
    ["before the file", [[[-1, 5]]], /not made of whole units/],
    ["to before the file", [[[1, -1]]], /not made of whole units/],
    ["what stays moves", [[[4, 5]]], /0x40000: a unit is moved that is not to go anywhere/],
    ["to no place that is wanted", [[[1, 0]]], /0x0: a unit goes where it is not wanted/],
    ["past the spares", [[[1, 7]]], /0x70000: a unit goes where it is not wanted/],
    ["from spare to spare", [[[1, 5]], [[5, 6]]], /0x60000: a unit goes where it is not wanted/],
    ["away from where it is wanted", [[[3, 0]], [[0, 5]]], /0x0: a unit leaves the place where it is wanted/],
    [
      "more than an epoch may hold",
      [
        [
          [3, 0],
          [1, 5, 2],
        ],
      ],
      /an epoch copies 196608 bytes/,
    ],
  ])("%s", (_what, epochs, message) => {
    expect(() => proveSchedule(fixed, scheduleOf(epochs, { end: 5, peak: 7 }))).toThrow(message);
  });

  test("spares that are needless", () => {
    const chains: FixedInput = {
      ...fixed,
      wanted: movesOf([
        [1, 0],
        [3, 2],
      ]),
      used: usedBy([], 1, 3),
      spareBytes: UNIT,
    };
    const bySpare: Way[][] = [[[1, 5]], [[5, 0]], [[3, 5]], [[5, 2]]];
    expect(() => proveSchedule(chains, scheduleOf(bySpare, { end: 3, peak: 6 }))).toThrow(
      /262144 bytes are moved, where 196608 are enough/,
    );
    const less: Way[][] = [[[1, 5]], [[5, 0]], [[3, 2]]];
    expect(() => proveSchedule(chains, scheduleOf(less, { end: 3, peak: 6 }))).not.toThrow();
  });

  test("someone is left behind", () => {
    const epochs = right.slice(0, 2);
    expect(() => proveSchedule(fixed, scheduleOf(epochs, { end: 6, peak: 6 }))).toThrow(
      /2 units lie where they are wanted, and 3 was foretold/,
    );
  });

  test.each<[string, Partial<Schedule>, RegExp]>([
    ["pieces", { moveCount: 3 }, /4 units are copied, and 3 was foretold/],
    ["bytes", { bytesMoved: 3 * UNIT }, /262144 bytes are moved, and 196608 was foretold/],
    ["epochs", { epochCount: 2 }, /3 epochs are made, and 2 was foretold/],
    ["the peak", { peakEnd: 5 * UNIT }, /393216 is one past the last place used, and 327680 was foretold/],
    ["an end too near", { end: 4 * UNIT }, /something is left past the end/],
    ["an end too far", { end: 6 * UNIT }, /the end is further down than foretold/],
  ])("foretold otherwise: %s", (_what, wrong, message) => {
    expect(() => proveSchedule(fixed, scheduleOf(right, ends, wrong))).toThrow(message);
    expect(() => proveSchedule(fixed, scheduleOf(right, ends, wrong))).toThrow(
      expect.objectContaining({ kind: "verification-failed" }),
    );
  });
});

function compact(row: string, mostUnits = 100): CompactInput {
  return { unitSize: UNIT, ...rowOf(row), epochBytes: mostUnits * UNIT };
}

describe("compact", () => {
  const input = compact("#o.o.o.oA--");
  const good: Way[][] = [
    [
      [3, 4],
      [1, 6],
    ],
    [[8, 1, 3]],
  ];

  test("right is proven", () => {
    const six = compact("#..o.oo");
    expect(() => proveSchedule(six, scheduleOf([[[5, 1, 2]]], { end: 4, peak: 7 }))).not.toThrow();
    expect(() => proveSchedule(input, scheduleOf(good, { pieces: 3, end: 8, peak: 11 }))).not.toThrow();
  });

  test.each<[string, Way[][], { pieces?: number; end: number }, RegExp]>([
    [
      "a piece in parts",
      [
        [
          [8, 11],
          [9, 12, 2],
        ],
      ],
      { end: 13 },
      /0x80000: a piece is not moved as a whole/,
    ],
    ["a part of a piece", [[[8, 11, 2]]], { end: 13 }, /0x80000: a piece is not moved as a whole/],
    ["the rest of a piece", [[[9, 11, 2]]], { end: 13 }, /0x90000: a piece is not moved as a whole/],
    ["what stays", [[[0, 2]]], { end: 11 }, /0x0: a piece is not moved as a whole/],
    ["a piece twice", [[[7, 6]], [[6, 4]]], { end: 11 }, /0x60000: a piece is (not moved as a whole|moved twice)/],
    [
      "a piece on the place of another, and on",
      [[[7, 6]], [[3, 7]], [[7, 4]]],
      { end: 11 },
      /0x70000: a piece is moved twice/,
    ],
    [
      "a piece that need not move",
      [[[1, 2]]],
      { pieces: 1, end: 11 },
      /0x10000: a piece is moved that reaches not past the end/,
    ],
    [
      "one that makes room for a single",
      [[[1, 2]], [[3, 1]]],
      { pieces: 2, end: 11 },
      /a piece is moved that reaches not/,
    ],
    ["a count of pieces", good, { pieces: 5, end: 8 }, /3 pieces are copied, and 5 was foretold/],
    ["something past the end", [good[0] as Way[]], { pieces: 2, end: 8 }, /something is left past the end/],
  ])("%s", (_what, epochs, foretold, message) => {
    expect(() =>
      proveSchedule(input, scheduleOf(epochs, { peak: 13, ...foretold }, { peakEnd: peakOf(epochs) })),
    ).toThrow(message);
  });

  test("an epoch of more than it may hold, but for one long piece", () => {
    const narrow = compact("#o.o.o.oA--", 1);
    const foretold = { pieces: 3, end: 8, peak: 11 };
    expect(() => proveSchedule(narrow, scheduleOf(good, foretold))).toThrow(/an epoch copies 131072 bytes/);
    const apart: Way[][] = [[[1, 6]], [[3, 4]], [[8, 1, 3]]];
    expect(() => proveSchedule(narrow, scheduleOf(apart, foretold))).not.toThrow();
  });
});

function peakOf(epochs: readonly (readonly Way[])[]): number {
  return Math.max(11, ...epochs.flat().map(([, to, length = 1]) => to + length)) * UNIT;
}

test.each<[string, Way[], number]>([
  ["nothing", [], 0],
  [
    "a chain",
    [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
    3,
  ],
  [
    "a chain that is found from its middle",
    [
      [2, 1],
      [1, 0],
      [3, 2],
    ],
    3,
  ],
  [
    "a cycle",
    [
      [1, 2],
      [2, 3],
      [3, 1],
    ],
    4,
  ],
  [
    "two cycles and a chain in runs",
    [
      [0, 1],
      [1, 0],
      [2, 3],
      [3, 2],
      [10, 8, 5],
    ],
    11,
  ],
])("fewest bytes: %s", (_what, ways, units) => {
  expect(leastBytesMoved({ unitSize: UNIT, wanted: movesOf(ways) })).toBe(units * UNIT);
});
