import { expect, it } from "vitest";
import { subclusterRuns } from "../../../../../src/formats/qcow2/tables/subclusters.ts";

it("splits a bitmap into runs of equal state", () => {
  expect(subclusterRuns(0x0000_000f, 0x8000_0010)).toEqual([
    { first: 0, count: 4, state: "data" },
    { first: 4, count: 1, state: "zero" },
    { first: 5, count: 26, state: "unallocated" },
    { first: 31, count: 1, state: "zero" },
  ]);
  expect(subclusterRuns(0xffff_ffff, 0)).toEqual([{ first: 0, count: 32, state: "data" }]);
});

it("names what is allocated and zero at once", () => {
  expect(subclusterRuns(3, 2)[1]).toEqual({ first: 1, count: 1, state: "invalid" });
});
