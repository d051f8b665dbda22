/** Which shards are missing, and what can't be known. */

import { expect, test } from "vitest";
import { judgeShards } from "../../../../src/action/fleet/shards.ts";
import { parseShard } from "../../../../src/action/inputs/shard-number.ts";

const judged = (paths: readonly string[], expected: number | "auto", told: readonly (string | undefined)[] = []) => {
  const reports = paths.map((path, index) => ({ path, shard: parseShard(told[index] ?? "") }));
  const { missing, results } = judgeShards(reports, expected);
  return [missing, results.map(({ failure }) => failure?.message)];
};

test.each([
  ["3", { number: 3, total: undefined }],
  ["3/12", { number: 3, total: 12 }],
  ["256/256", { number: 256, total: 256 }],
  ["0", undefined],
  ["4/3", undefined],
  ["1/", undefined],
  ["", undefined],
])("%s", (text, shard) => expect(parseShard(text)).toEqual(shard));

test("none is missing", () => {
  expect(judged(["a.json", "b.json"], 2)).toEqual([[], []]);
  expect(judged(["1.json", "2.json"], 2)).toEqual([[], []]);
  expect(judged(["a.json"], "auto")).toEqual([[], []]);
  expect(judged(["a.json", "b.json"], "auto", ["2/2", "1/2"])).toEqual([[], []]);
  expect(judged([], "auto")).toEqual([[], []]);
});

test.each([
  ["by what they say", ["a.json", "b.json"], 4, ["4", "1"], [2, 3]],
  ["by what they say, of how many too", ["a.json", "b.json"], "auto", ["2/4", "1/4"], [3, 4]],
  ["by what they say, between them", ["a.json", "b.json"], "auto", ["3", "1"], [2]],
  ["by their names", ["reports/report-1.json", "reports/report-3.json"], 3, [], [2]],
  ["by their folders' names", ["fleet-report-2/report.json"], 2, [], [1]],
  ["by both", ["x.json", "2.json"], 3, ["3", undefined], [1]],
] as const)("named %s", (_, paths, expected, told, missing) => {
  const [found, messages] = judged(paths, expected, told);
  expect(found).toEqual(missing);
  expect(messages).toHaveLength(missing.length);
  for (const [index, message] of (messages ?? []).entries()) {
    expect(message).toContain(`Cannot vouch for shard ${missing[index]}`);
  }
});

test("what can't be told which is told as such", () => {
  const which = "the input shard of their jobs tells which";
  expect(judged(["a.json"], 2)).toEqual([[], [expect.stringContaining(`1 report found of 2; ${which}`)]]);
  expect(judged(["a-1.json", "b-1.json"], 3)).toEqual([[], [expect.stringContaining("2 reports found of 3")]]);
  expect(judged(["1.json", "2.json", "3.json"], 2)).toEqual([[], [expect.stringContaining("3 reports found of 2")]]);
});

test("a shard that two reports are of is no two shards", () => {
  expect(judged(["a.json", "b.json"], 2, ["1", "1"])).toEqual([
    [2],
    [
      "Cannot vouch for shard 2 of 2: no report of it was found",
      "Cannot vouch for shard 1: a.json and b.json are both of it",
    ],
  ]);
});
