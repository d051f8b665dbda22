import { expect, it } from "vitest";
import { TableReach } from "../../../../../src/formats/qcow2/tables/table-reach.ts";

it("knows from where to where the clusters of each table lie", () => {
  const reach = new TableReach();
  for (const [table, first, end] of [
    [3, 40, 50],
    [3, 7, 9],
    [3, 20, 60],
    [70, 0, 1],
    [1, 5, 6],
  ] as const) {
    reach.add(table, first, end);
  }
  expect(reach.of(3)).toEqual({ first: 7, end: 60 });
  expect(reach.of(70)).toEqual({ first: 0, end: 1 });
  expect(reach.of(1)).toEqual({ first: 5, end: 6 });
});

it("tells a table without clusters from one that it can't remember", () => {
  const reach = new TableReach();
  reach.add(65_536, 5, 6);
  expect(reach.of(2)).toEqual({ first: 0, end: 0 });
  expect(reach.of(65_536)).toBeUndefined();
});
