/** Images shared out to jobs. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { matrixOf, type PlannedLine } from "../../../../src/action/fleet/matrix.ts";

function lines(works: readonly (number | undefined)[]): PlannedLine[] {
  return works.map((work, index) => ({ line: `${index}.qed`, work }));
}

function indexesOf({ include }: ReturnType<typeof matrixOf>): number[][] {
  return include.map(({ images }) => images.split("\n").map((line) => Number.parseInt(line, 10)));
}

test("auto is a job an image, in their order, numbered from one", () => {
  expect(matrixOf(lines([5, 900, undefined]), "auto")).toEqual({
    include: [
      { images: "0.qed", shard: 1 },
      { images: "1.qed", shard: 2 },
      { images: "2.qed", shard: 3 },
    ],
  });
});

test("nothing to do is an empty matrix", () => {
  expect(matrixOf([], "auto")).toEqual({ include: [] });
  expect(matrixOf([], 7)).toEqual({ include: [] });
});

test("more than 256 images are sharded", () => {
  const { include } = matrixOf(lines(Array.from({ length: 1000 }, () => undefined)), "auto");
  expect(include).toHaveLength(256);
  const sizes = include.map(({ images }) => images.split("\n").length);
  expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([3, 4]);
});

test("the largest image has a job of its own, the small ones share the other", () => {
  expect(indexesOf(matrixOf(lines([10, 10, 100, 10, 10]), 2))).toEqual([[0, 1, 3, 4], [2]]);
});

test("images that cost nothing are shared out too", () => {
  expect(indexesOf(matrixOf(lines([0, 0, 0, 0]), 2))).toEqual([
    [0, 2],
    [1, 3],
  ]);
});

test("every line stands in exactly one job, none is empty, and no job has more than the mean and the largest", () => {
  const works = fc.array(fc.option(fc.nat(2 ** 40), { nil: undefined }), { maxLength: 600 });
  fc.assert(
    fc.property(works, fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 256 })), (each, shards) => {
      const found = indexesOf(matrixOf(lines(each), shards));
      expect(matrixOf(lines(each), shards)).toEqual(matrixOf(lines(each), shards));
      expect(found.flat().sort((a, b) => a - b)).toEqual([...each.keys()]);
      expect(found.length).toBe(Math.min(each.length, shards === "auto" ? 256 : shards));
      for (const indexes of found) expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      const known = each.filter((work) => work !== undefined);
      const mean = known.length > 0 ? known.reduce((sum, work) => sum + work, 0) / known.length : 1;
      const of = (index: number) => Math.max(1, each[index] ?? mean);
      const loads = found.map((indexes) => indexes.reduce((sum, index) => sum + of(index), 0));
      const total = loads.reduce((sum, load) => sum + load, 0);
      const largest = Math.max(0, ...[...each.keys()].map(of));
      for (const load of loads) expect(load).toBeLessThanOrEqual((total / found.length + largest) * (1 + 1e-9));
    }),
    { numRuns: 60 },
  );
});

test("what a runner would not take is refused", () => {
  const long = (count: number, length: number) =>
    Array.from({ length: count }, (_, index) => ({ line: `${index}`.padEnd(length, "x"), work: 1 }));
  expect(() => matrixOf(long(2000, 100), 1)).toThrow(/Cannot plan 2000 images in 1 shard:.*allow more shards/);
  expect(() => matrixOf(long(5000, 100), "auto")).toThrow(/Cannot plan 5000 images at once.*1 MB/);
  const { include } = matrixOf(long(1000, 400), "auto");
  expect(JSON.stringify({ include }).length * 2).toBeLessThan(1_000_000);
});
