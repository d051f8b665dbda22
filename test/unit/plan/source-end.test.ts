/** Where the places end that a source points at: whole clusters, also of a file that ends inside its last one. */

import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder } from "../../../src/image/extent.ts";
import { sourceEndOf } from "../../../src/plan/source-end.ts";

const CLUSTER = 4096;
const FILE_SIZE = 5 * CLUSTER + 100;

function endOf(fill: (table: ExtentTableBuilder) => void, metadataEnd = CLUSTER, fileSize = FILE_SIZE): number {
  const table = new ExtentTableBuilder();
  fill(table);
  const metadata = RangeSet.of({ start: 0, end: metadataEnd });
  return sourceEndOf(table.finish(table.end), metadata, { clusterSize: CLUSTER }, fileSize);
}

test("never before the end of the cluster that the file ends inside, whoever points there", () => {
  expect(endOf((table) => table.append(CLUSTER, ExtentState.data, CLUSTER))).toBe(6 * CLUSTER);
  expect(endOf((table) => table.append(CLUSTER, ExtentState.unallocated))).toBe(6 * CLUSTER);
  expect(endOf((table) => table.append(CLUSTER, ExtentState.unallocated), CLUSTER, 5 * CLUSTER)).toBe(5 * CLUSTER);
});

test("at the end of the data cluster that the file ends inside", () => {
  expect(endOf((table) => table.append(CLUSTER, ExtentState.data, 5 * CLUSTER))).toBe(6 * CLUSTER);
});

test("of a disk that ends inside its last cluster too", () => {
  expect(endOf((table) => table.append(700, ExtentState.data, 5 * CLUSTER))).toBe(6 * CLUSTER);
});

test("of a row that begins inside its cluster", () => {
  const end = endOf((table) => {
    table.append(1024, ExtentState.zero);
    table.append(CLUSTER - 1024, ExtentState.data, 5 * CLUSTER + 1024);
  });
  expect(end).toBe(6 * CLUSTER);
});

test("of a zero cluster that has a place", () => {
  expect(endOf((table) => table.append(CLUSTER, ExtentState.zero, 5 * CLUSTER))).toBe(6 * CLUSTER);
});

test("compressed data ends where its stored bytes do", () => {
  const stored = (length: number) =>
    endOf((table) => table.append(CLUSTER, ExtentState.compressed, 6 * CLUSTER - 100, length), CLUSTER, 6 * CLUSTER);
  expect(stored(100)).toBe(6 * CLUSTER);
  expect(stored(512)).toBe(6 * CLUSTER + 412);
});

test("metadata takes whole clusters", () => {
  expect(endOf((table) => table.append(CLUSTER, ExtentState.unallocated), 5 * CLUSTER + 8)).toBe(6 * CLUSTER);
});

test("a file that ends with a sector of its format's own ends there", () => {
  const table = new ExtentTableBuilder();
  table.append(CLUSTER, ExtentState.data, 512);
  const metadata = RangeSet.of({ start: 0, end: 512 }, { start: 4608, end: 5120 });
  const options = { clusterSize: CLUSTER, footer: new Uint8Array(512) };
  expect(sourceEndOf(table.finish(CLUSTER), metadata, options, 5120)).toBe(5120);
});
