/** The proof of a gathering: each thing that it shows, broken once. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { proveGathering } from "../../../src/plan/gather-proof.ts";
import type { GatherInput, Schedule } from "../../../src/plan/schedule.ts";
import { movesOf, UNIT, type Way } from "../../support/schedule-worlds.ts";

/** Two units of two pieces each, in slots of four halves of one: half a unit lies before each. */
const HALF = UNIT / 2;
const input: GatherInput = {
  slots: { first: UNIT, leadIn: HALF, unitSize: UNIT, pitch: UNIT + HALF, isDense: true },
  pieces: {
    guestOffset: Float64Array.of(0, HALF, 7 * UNIT, 7 * UNIT + HALF),
    hostOffset: Float64Array.of(2 * UNIT, 4 * UNIT, 2 * UNIT + HALF, 3 * UNIT),
  },
  pieceSize: HALF,
  spares: [5 * UNIT, 5 * UNIT + HALF],
  behind: 9 * UNIT,
  epochBytes: 2 * UNIT,
  limit: 4 * UNIT,
};
const FIXED = RangeSet.of({ start: 0, end: 512 }, { start: 6 * UNIT, end: 9 * UNIT });

/** In halves of a unit. */
function scheduleOf(epochs: readonly (readonly Way[])[], wrong: Partial<Schedule> = {}): Schedule {
  const halves = epochs.flat().reduce((sum, [, , length = 1]) => sum + length, 0);
  const moves = epochs.map((ways) => {
    const { count, fromHostOffset, toHostOffset, length } = movesOf(ways);
    const halved = (column: Float64Array) => column.map((value) => value / 2);
    return {
      count,
      fromHostOffset: halved(fromHostOffset),
      toHostOffset: halved(toHostOffset),
      length: halved(length),
    };
  });
  return {
    moveCount: halves,
    bytesMoved: halves * HALF,
    epochCount: epochs.length,
    epochs: () => moves,
    end: 4 * UNIT,
    peakEnd: 6 * UNIT,
    ...wrong,
  };
}

// The first unit's halves lie at 4 and 8, the second's at 5 and 6; slots are 2 to 4 and 5 to 7.
const right: Way[][] = [
  [
    [4, 10],
    [6, 11],
  ],
  [
    [8, 4],
    [5, 6],
  ],
  [
    [10, 3],
    [11, 7],
  ],
];

describe("a gathering", () => {
  test("right is proven", () => {
    expect(() => proveGathering(input, FIXED, scheduleOf(right))).not.toThrow();
  });

  test.each<[string, Way[][], RegExp]>([
    ["a place that is live", [[[4, 5]]], /live at the last barrier/],
    [
      "one that was left since",
      [
        [
          [5, 3],
          [4, 5],
        ],
      ],
      /not in order|live at the last barrier/,
    ],
    ["one that a piece reaches into", [[[4, 7.5]]], /live at the last barrier/],
    [
      "a place for two",
      [
        [
          [4, 10],
          [6, 10],
        ],
      ],
      /live at the last barrier|to one place/,
    ],
    ["a piece that is not there", [[[9, 10]]], /no piece lies there/],
    [
      "a piece twice",
      [
        [
          [4, 10],
          [4, 11],
        ],
      ],
      /no piece lies there/,
    ],
    ["what may not be written", [[[4, 13]]], /may not be moved would be written over/],
    ["a unit apart", [right[0] as Way[], right[1] as Way[], [[10, 3]]], /in no slot|lie apart/],
    ["no slot of its own", [[[8, 12]]], /written over|in no slot/],
  ])("refuses %s", (_, epochs, because) => {
    expect(() => proveGathering(input, FIXED, scheduleOf(epochs))).toThrow(because);
  });

  test.each<[string, Partial<Schedule>, RegExp]>([
    ["pieces", { moveCount: 5 }, /6 pieces are copied, and 5/],
    ["bytes", { bytesMoved: 1 }, /bytes are moved/],
    ["epochs", { epochCount: 4 }, /epochs are made/],
    ["the peak", { peakEnd: UNIT }, /last place used,/],
    ["the end", { end: UNIT }, /in the end/],
  ])("refuses %s that were foretold otherwise", (_, wrong, because) => {
    expect(() => proveGathering(input, FIXED, scheduleOf(right, wrong))).toThrow(because);
  });

  test("refuses what lies in a slot beside its unit, slots behind the limit, and a hole between them", () => {
    const beside = RangeSet.of({ start: UNIT, end: UNIT + 512 });
    expect(() => proveGathering(input, beside, scheduleOf(right))).toThrow(/something else lies/);
    expect(() => proveGathering({ ...input, limit: 3 * UNIT }, FIXED, scheduleOf(right))).toThrow(/in no slot/);
    const later: Way[][] = [
      ...right,
      [
        [3, 12],
        [4, 13],
      ],
    ];
    const room = { ...input, limit: 9 * UNIT };
    const ends = { end: 7 * UNIT, peakEnd: 7 * UNIT };
    const none = new RangeSet();
    expect(() => proveGathering(room, none, scheduleOf(later, ends))).toThrow(/left empty between/);
    const slots = { ...input.slots, isDense: false };
    expect(() => proveGathering({ ...room, slots }, none, scheduleOf(later, ends))).not.toThrow();
  });
});
