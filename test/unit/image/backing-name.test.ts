/** A backing name's place: the sector, else where it lies already, else bytes that nobody uses. */

import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { placeBackingName, putNameInSector } from "../../../src/image/backing-name.ts";
import type { BackingFile } from "../../../src/image/source.ts";

const CLUSTER = 4096;
const START = 64;

function named(length: number, hostOffset = 0): BackingFile {
  const nameBytes = new Uint8Array(length).fill(0x61);
  return { nameBytes, name: "a".repeat(length), format: undefined, hostOffset };
}

/** The header cluster of a source that has `backing` at its place, and uses `ranges` besides. */
function placesWith(backing: BackingFile, alignment: number, ...ranges: readonly [number, number][]) {
  const oldHeader = new Uint8Array(CLUSTER);
  oldHeader.set(backing.nameBytes, backing.hostOffset);
  const usedHeader = RangeSet.of(...ranges.map(([start, end]) => ({ start, end })));
  return { start: START, limit: CLUSTER, alignment, oldHeader, usedHeader };
}

test.each([
  ["fits into the sector to its last byte", named(512 - START), 1, [[0, 1000]], { hostOffset: 64, isStored: true }],
  ["lies already behind the fields", named(500, 100), 1, [[0, 600]], { hostOffset: 100, isStored: true }],
  ["lies already under the fields", named(500, 63), 1, [[0, 563]], { hostOffset: 563, isStored: false }],
  ["the same, by whole sectors", named(500, 63), 512, [[0, 563]], { hostOffset: 1024, isStored: false }],
  [
    "goes into a gap of just its size",
    named(600, 20),
    1,
    [
      [0, 620],
      [1220, 4000],
    ],
    { hostOffset: 620, isStored: false },
  ],
  [
    "not into one a byte shorter",
    named(600, 20),
    1,
    [
      [0, 620],
      [1219, 3000],
    ],
    { hostOffset: 3000, isStored: false },
  ],
  ["ends with the cluster", named(600, 20), 1, [[0, CLUSTER - 600]], { hostOffset: CLUSTER - 600, isStored: false }],
  ["finds no room", named(600, 20), 1, [[0, CLUSTER - 599]], undefined],
] as const)("%s", (_name, backing, alignment, used, expected) => {
  const places = placesWith(backing, alignment, ...used.map(([start, end]): [number, number] => [start, end]));
  expect(placeBackingName(backing, places)).toEqual(expected);
});

test("a name that only seems to lie there is written elsewhere", () => {
  const backing = named(500, 100);
  const places = placesWith(backing, 1, [0, 600]);
  places.oldHeader[599] = 0;
  expect(placeBackingName(backing, places)).toEqual({ hostOffset: 600, isStored: false });
});

test("the sector gets as much of the name as lies in it", () => {
  const sector = new Uint8Array(512);
  putNameInSector(sector, named(500), 500);
  expect(sector.findIndex((byte) => byte !== 0)).toBe(500);
  const blank = new Uint8Array(512);
  putNameInSector(blank, named(500), 512);
  expect(blank).toEqual(new Uint8Array(512));
});
