import { describe, expect, it } from "vitest";
import { MiB } from "../../../../../src/bytes/align.ts";
import { entryRuns } from "../../../../../src/formats/qed/tables/entry-encoder.ts";
import {
  l1OffsetOf,
  layoutEnd,
  neededL2Indexes,
  tableLayout,
  tableWrites,
} from "../../../../../src/formats/qed/tables/layout.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../../../src/image/extent.ts";
import { seededRandom } from "../../../../support/random.ts";

const CLUSTER = 4096;

/** Entry by entry, what the tables must say. */
function naiveEntries(extents: ExtentTable): Map<number, bigint> {
  const entries = new Map<number, bigint>();
  for (let row = 0; row < extents.count; row++) {
    const first = (extents.guestOffset[row] as number) / CLUSTER;
    const count = Math.ceil((extents.length[row] as number) / CLUSTER);
    for (let at = 0; at < count; at++) {
      if (extents.state[row] === ExtentState.zero) entries.set(first + at, 1n);
      if (extents.state[row] !== ExtentState.data) continue;
      entries.set(first + at, BigInt(extents.hostOffset[row] as number) + BigInt(at * CLUSTER));
    }
  }
  return entries;
}

function expectTables(extents: ExtentTable, tableSize: number): void {
  const entryCount = (CLUSTER * tableSize) / 8;
  const l2Indexes = neededL2Indexes(extents, CLUSTER, entryCount);
  const layout = tableLayout(CLUSTER, tableSize, l2Indexes, 7 * CLUSTER);
  const file = new Uint8Array(layoutEnd(layout));
  let next = layout.hostOffset;
  for (const { hostOffset, bytes } of tableWrites(layout, entryRuns(extents, CLUSTER))) {
    expect(hostOffset).toBe(next);
    expect(bytes.length).toBeLessThanOrEqual(MiB);
    file.set(bytes, hostOffset);
    next += bytes.length;
  }
  expect(next).toBe(layoutEnd(layout));
  const view = new DataView(file.buffer);
  const found = new Map<number, bigint>();
  for (let index = 0; index < entryCount; index++) {
    const l2Offset = Number(view.getBigUint64(l1OffsetOf(layout) + index * 8, true));
    expect(l2Offset > 0).toBe(l2Indexes.includes(index));
    for (let entry = 0; l2Offset > 0 && entry < entryCount; entry++) {
      const value = view.getBigUint64(l2Offset + entry * 8, true);
      if (value !== 0n) found.set(index * entryCount + entry, value);
    }
  }
  expect(found).toEqual(naiveEntries(extents));
}

describe("QED tables, written", () => {
  it("carry runs across tables and across 4 GiB", () => {
    const extents = new ExtentTableBuilder();
    extents.append(3 * CLUSTER, ExtentState.unallocated);
    extents.append(2500 * CLUSTER, ExtentState.data, 2 ** 32 - 700 * CLUSTER);
    extents.append(1500 * CLUSTER, ExtentState.zero);
    extents.append(512, ExtentState.data, 2 ** 40);
    expectTables(extents.finish(extents.end), 2);
  });

  it("come in pieces of at most 1 MiB, tables of more than one piece too", () => {
    const extents = new ExtentTableBuilder();
    for (let row = 0; row < 40; row++) {
      extents.append(8192 * CLUSTER - 5 * CLUSTER, ExtentState.unallocated);
      extents.append(9 * CLUSTER, ExtentState.data, (100 + row * 9) * CLUSTER);
    }
    expectTables(extents.finish(extents.end), 16);
  });

  it("equal the extents for any mix of them", () => {
    const random = seededRandom(99);
    for (let round = 0; round < 25; round++) {
      const extents = new ExtentTableBuilder();
      const states = [ExtentState.data, ExtentState.zero, ExtentState.unallocated];
      for (let row = random.below(30); row >= 0; row--) {
        const length = random.pick([1, 2, 63, 64, 65, 500, 1024, 1500]) * CLUSTER;
        const state = random.pick(states);
        extents.append(length, state, state === ExtentState.data ? random.below(2 ** 30) * CLUSTER : undefined);
      }
      expectTables(extents.finish(extents.end), random.pick([2, 4]));
    }
  });
});
