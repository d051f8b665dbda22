/** What is copied when: as few bytes and barriers as the spares allow, in runs, and nothing that need not. */

import { describe, expect, test } from "vitest";
import { type FixedInput, type Schedule, scheduleCompact, scheduleFixed } from "../../../src/plan/schedule.ts";
import { leastBytesMoved, proveSchedule } from "../../../src/plan/schedule-proof.ts";
import { movesOf, permutation, rowOf, UNIT, usedBy, type Way, waysOf } from "../../support/schedule-worlds.ts";

function fixed(ways: readonly Way[], spares: number, more: Partial<FixedInput> = {}): FixedInput {
  const end = Math.max(0, ...ways.map(([from, to, length = 1]) => Math.max(from, to) + length));
  return {
    unitSize: UNIT,
    wanted: movesOf(ways),
    used: usedBy(ways),
    spareStart: end * UNIT,
    spareBytes: spares * UNIT,
    epochBytes: 2 ** 40,
    ...more,
  };
}

function provenFixed(ways: readonly Way[], spares: number, more: Partial<FixedInput> = {}): Schedule {
  const input = fixed(ways, spares, more);
  const schedule = scheduleFixed(input);
  proveSchedule(input, schedule);
  return schedule;
}

function compacted(row: string, mostUnits = 1000): { schedule: Schedule; ways: Way[][]; end: number } {
  const input = { unitSize: UNIT, ...rowOf(row), epochBytes: mostUnits * UNIT };
  const schedule = scheduleCompact(input);
  proveSchedule(input, schedule);
  return { schedule, ways: epochsOf(schedule), end: schedule.end / UNIT };
}

function epochsOf(schedule: Schedule): Way[][] {
  return [...schedule.epochs()].map(waysOf);
}

describe("16,384 units with 256 spares", () => {
  const count = 16_384;
  const each = Array.from({ length: count }, (_, at) => at);

  test.each<[string, Way[], number, number]>([
    ["a shift by 5 down, as one run", [[5, 0, count]], 1.016, 65],
    ["a shift by 5 up, as one run", [[0, 5, count]], 1.016, 65],
    ["a shift by 5, each unit by itself and from behind", each.map((at): Way => [at + 5, at]).reverse(), 1.016, 65],
    ["a shift by 1,000", [[1000, 0, count]], 1, 17],
    ["a rotation by 5, one cycle", each.map((at): Way => [at, (at + 5) % count]), 1.016, 66],
    ["random", permutation(count, 1), 1.017, 67],
    ["random too", permutation(count, 2), 1.017, 67],
    ["a reversal, cycles of two", each.map((at): Way => [at, count - 1 - at]), 1.5, 96],
    ["to free places", each.map((at): Way => [at, 2 * count - 2 * at]).slice(0, count / 2), 1, 1],
  ])("%s", (_what, ways, ratio, epochs) => {
    const input = fixed(ways, 256);
    const schedule = scheduleFixed(input);
    proveSchedule(input, schedule);
    const misplaced = ways.reduce((sum, [, , length = 1]) => sum + length, 0) * UNIT;
    expect(schedule.bytesMoved / misplaced).toBeLessThanOrEqual(ratio);
    expect(schedule.epochCount).toBeLessThanOrEqual(epochs);
    expect(schedule.bytesMoved - leastBytesMoved(input)).toBeLessThanOrEqual(256 * UNIT);
  });

  test("where little is copied between two barriers, no more spares are taken than advance", () => {
    const schedule = provenFixed([[5, 0, count]], 256, { epochBytes: 16 * UNIT });
    expect(schedule.bytesMoved / (count * UNIT)).toBeLessThan(1.001);
    expect(schedule.epochCount).toBeLessThan(1.07 * (count / 16));
    expect(Math.max(...epochsOf(schedule).map(unitsOf))).toBeLessThanOrEqual(16);
  });

  test("one spare still brings all home", () => {
    const schedule = provenFixed(permutation(count, 3), 1);
    expect(schedule.peakEnd).toBe((count + 1) * UNIT);
    expect(schedule.end).toBe(count * UNIT);
  });
});

function unitsOf(ways: readonly Way[]): number {
  return ways.reduce((sum, [, , length = 1]) => sum + length, 0);
}

describe("fixed places", () => {
  test("nothing wanted, nothing done", () => {
    const schedule = provenFixed([], 4, { used: usedBy([], 0, 3) });
    expect(schedule).toMatchObject({ moveCount: 0, bytesMoved: 0, epochCount: 0, end: 4 * UNIT, peakEnd: 4 * UNIT });
  });

  test("neighbours go as one run, and keep step", () => {
    const schedule = provenFixed([[4, 0, 12]], 0);
    expect(epochsOf(schedule)).toEqual([[[4, 0, 4]], [[8, 4, 4]], [[12, 8, 4]]]);
  });

  test("a chain that is cut by spares: all gaps advance at once", () => {
    const schedule = provenFixed([[1, 0, 9]], 2);
    expect(epochsOf(schedule)).toEqual([
      [
        [1, 0, 1],
        [4, 10, 1],
        [7, 11, 1],
      ],
      [
        [2, 1, 1],
        [5, 4, 1],
        [8, 7, 1],
      ],
      [
        [3, 2, 1],
        [6, 5, 1],
        [9, 8, 1],
      ],
      [
        [10, 3, 1],
        [11, 6, 1],
      ],
    ]);
    expect(schedule).toMatchObject({ moveCount: 11, end: 9 * UNIT, peakEnd: 12 * UNIT });
  });

  test("less than a unit is one spare, as a cycle needs it", () => {
    const ways: Way[] = [
      [0, 1],
      [1, 2],
      [2, 0],
    ];
    for (const spareBytes of [0, 1, UNIT]) {
      const schedule = provenFixed(ways, 0, { spareBytes });
      expect(schedule).toMatchObject({ moveCount: 4, epochCount: 4, peakEnd: 4 * UNIT, end: 3 * UNIT });
    }
  });

  test("cycles that are more than spares take them in turn", () => {
    const pairs = Array.from({ length: 10 }, (_, at): Way => [at, at ^ 1]);
    const schedule = provenFixed(pairs, 2);
    expect(schedule).toMatchObject({ moveCount: 15, epochCount: 9, peakEnd: 12 * UNIT });
  });

  test("cycles of two never take two spares, however many there are", () => {
    const pairs = Array.from({ length: 10 }, (_, at): Way => [at, at ^ 1]);
    expect(provenFixed(pairs, 1000)).toMatchObject({ moveCount: 15, epochCount: 3 });
  });

  test("a long chain alone gets spares, those that end with it get none", () => {
    const short = Array.from({ length: 8 }, (_, at): Way => [101 + at, 100 + at]);
    const schedule = provenFixed([...short, [201, 200, 32]], 3);
    // 32 in four tracks: 35 copies in 9 epochs; the other 8 are through by then.
    expect(schedule).toMatchObject({ moveCount: 8 + 32 + 3, epochCount: 9 });
  });

  test("what is given up at the end of the file shortens it, what stays does not", () => {
    const ways: Way[] = [
      [9, 2],
      [8, 3],
    ];
    expect(provenFixed(ways, 0).end).toBe(4 * UNIT);
    expect(provenFixed(ways, 0, { used: usedBy(ways, 7) }).end).toBe(8 * UNIT);
    expect(provenFixed(ways, 0, { used: usedBy(ways, 10), spareStart: 11 * UNIT }).end).toBe(11 * UNIT);
    expect(provenFixed([[1, 5]], 0).end).toBe(6 * UNIT);
  });

  test.each<[string, Way[], Partial<FixedInput>, RegExp]>([
    ["what stays where another is to go", [[1, 2]], { used: usedBy([[1, 2]], 2) }, /something that stays lies where/],
    ["what stays above all that moves", [[1, 7]], { used: usedBy([[1, 7]], 7) }, /something that stays lies where/],
    [
      "two to one place",
      [
        [1, 5],
        [2, 5],
      ],
      {},
      /two are to go there/,
    ],
    [
      "two to the place of a third",
      [
        [1, 5],
        [2, 5],
        [5, 0],
      ],
      {},
      /two are to go there|something that stays/,
    ],
    [
      "one to two places",
      [
        [1, 5],
        [1, 6],
      ],
      { used: usedBy([], 1, 2) },
      /it is to go twice/,
    ],
    ["nothing to go", [[1, 5]], { used: usedBy([], 3) }, /nothing lies there/],
    ["one to its own place", [[1, 1]], {}, /it lies where it is wanted/],
    ["more than is used", [[1, 5, 4]], { used: usedBy([], 1, 2) }, /more is to move than lies in the file/],
    ["half a unit", [[1, 5, 0.5]], {}, /or parts of units/],
    ["a place between two", [[1, 5.5]], {}, /it is not the place of a unit/],
    ["a place before the file", [[1, -1]], {}, /it is not the place of a unit/],
    [
      "spares on what is used",
      [
        [0, 1],
        [1, 0],
      ],
      { used: usedBy([], 0, 1, 4), spareStart: 4 * UNIT },
      /spares may lie there only where/,
    ],
  ])("refused: %s", (_what, ways, more, message) => {
    expect(() => scheduleFixed({ ...fixed(ways, 1), ...more })).toThrow(message);
    expect(() => scheduleFixed({ ...fixed(ways, 1), ...more })).toThrow(
      expect.objectContaining({ kind: "verification-failed" }),
    );
  });

  test("refused: more places than can be told apart", () => {
    const input = { ...fixed([[1, 2 ** 32]], 0), used: usedBy([], 1) };
    expect(() => scheduleFixed(input)).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });
});

describe("compact", () => {
  test("what is dense stays as it is", () => {
    expect(compacted("#ooA--o").schedule).toMatchObject({ moveCount: 0, epochCount: 0, end: 7 * UNIT });
    expect(compacted("").schedule).toMatchObject({ moveCount: 0, end: 0, peakEnd: 0 });
  });

  test("only what lies past the end to come is moved", () => {
    const { schedule, ways } = compacted("#o..o.o.oo");
    expect(ways).toEqual([
      [
        [8, 2, 2],
        [6, 5, 1],
      ],
    ]);
    expect(schedule).toMatchObject({ moveCount: 3, end: 6 * UNIT, peakEnd: 10 * UNIT });
  });

  test("a run goes where it stays whole, and not where a longer one would", () => {
    expect(compacted("#...o..o.....oo.ooo").ways).toEqual([
      [
        [16, 1, 3],
        [13, 5, 2],
      ],
    ]);
  });

  test("a run is cut only where nothing holds it", () => {
    expect(compacted("#..o..o.ooooo").ways[0]).toHaveLength(3);
    expect(compacted("#..o..o.ooooo").end).toBe(8);
  });

  test("the highest first: each epoch makes the file shorter", () => {
    const { ways } = compacted("#........oooooooo", 3);
    expect(ways).toEqual([[[14, 6, 3]], [[11, 3, 3]], [[9, 1, 2]]]);
  });

  test("what stays far down keeps the end there, and what lies below it", () => {
    const { schedule } = compacted("#..o..oo#.o");
    expect(schedule).toMatchObject({ moveCount: 1, end: 9 * UNIT });
  });

  test("a long piece goes first into the shortest run that holds it", () => {
    const { ways, schedule } = compacted("#...o..ooooA-");
    expect(schedule).toMatchObject({ moveCount: 4, end: 8 * UNIT });
    expect(ways).toEqual([
      [
        [8, 1, 3],
        [11, 5, 2],
      ],
    ]);
  });

  test("where no run holds a long piece, singles make room; it waits for them", () => {
    const { ways, schedule } = compacted("#o.o.o.o.....A--");
    expect(schedule.end).toBe(8 * UNIT);
    expect(ways).toHaveLength(2);
    expect(ways[1]).toEqual([[13, expect.any(Number), 3]]);
    expect(unitsOf(ways[0] as Way[])).toBe(1);
  });

  test("room is made where the fewest have to leave", () => {
    const { ways } = compacted("#oooo.o.oooo..........A--");
    expect(ways[1]).toEqual([[22, 5, 3]]);
  });

  test("singles wait for what a long piece leaves below the end", () => {
    const { ways, schedule } = compacted("#...ooA--o");
    expect(schedule).toMatchObject({ end: 7 * UNIT, epochCount: 2 });
    expect(ways).toEqual([[[6, 1, 3]], [[9, 6, 1]]]);
  });

  test("where what stays leaves no room, the end is a little further down", () => {
    const { schedule } = compacted(`${"#.".repeat(8)}.......ooA---`);
    expect(schedule.end / UNIT).toBe(19);
  });

  test("a piece that is longer than an epoch goes as a whole, alone", () => {
    const { ways } = compacted("#.......ooA----", 2);
    expect(ways.filter((each) => unitsOf(each) > 2)).toEqual([[[10, 1, 5]]]);
  });

  test.each([
    ["a piece where nothing is", "#o.", [2], [1]],
    ["two that lie on each other", "#ooo", [1, 2], [2, 1]],
    ["pieces in another order", "#ooo", [2, 1], [1, 1]],
    ["a piece of nothing", "#ooo", [2], [0]],
    ["half a piece", "#ooo", [2], [0.5]],
  ])("refused: %s", (_what, row, starts, lengths) => {
    const pieces = {
      count: starts.length,
      hostOffset: Float64Array.from(starts, (each) => each * UNIT),
      length: Float64Array.from(lengths, (each) => each * UNIT),
    };
    const input = { unitSize: UNIT, used: rowOf(row).used, pieces, epochBytes: UNIT };
    expect(() => scheduleCompact(input)).toThrow(expect.objectContaining({ kind: "verification-failed" }));
  });
});

test("a hundred thousand at random: proven, and near the fewest barriers that the spares allow", () => {
  const count = 100_000;
  const schedule = provenFixed(permutation(count, 5), 256);
  expect(schedule.epochCount).toBeLessThan(1.02 * (count / 256) + 8);
});
