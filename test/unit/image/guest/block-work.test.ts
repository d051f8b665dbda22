import { describe, expect, test } from "vitest";
import { GiB, KiB } from "../../../../src/bytes/align.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import {
  BLOCK_SIZE,
  type BlockWork,
  PART_WIDTH,
  PartColumn,
  planBlockWork,
} from "../../../../src/image/guest/block-work.ts";
import { composeGuestView } from "../../../../src/image/guest/view.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";

function plan(maxBlocks: number, fill: (table: ExtentTableBuilder) => void): BlockWork[] {
  const builder = new ExtentTableBuilder();
  fill(builder);
  const view = composeGuestView([
    {
      storage: memoryStorage(new Uint8Array(0)),
      extents: builder.finish(builder.end),
      virtualSize: builder.end,
      clusterSize: 65536,
      compression: "zlib",
      inflate: (stored) => stored,
    },
  ]);
  return [...planBlockWork(view.table, view.virtualSize, maxBlocks)];
}

function partsOf({ parts }: BlockWork): { state: number; length: number; hostOffset: number }[] {
  return Array.from({ length: parts.length / PART_WIDTH }, (_, part) => ({
    state: parts[part * PART_WIDTH + PartColumn.state] as number,
    length: parts[part * PART_WIDTH + PartColumn.length] as number,
    hostOffset: parts[part * PART_WIDTH + PartColumn.hostOffset] as number,
  }));
}

describe("planBlockWork", () => {
  test("a disk without data is one run of zeros", () => {
    const work = plan(16, (table) => {
      table.append(60 * GiB, ExtentState.unallocated);
      table.append(40 * GiB + 512, ExtentState.zero);
    });
    expect(work).toMatchObject([{ length: 0, runs: [{ zeroLength: 100 * GiB + 512, storedLength: 0 }] }]);
  });

  test("a disk of no bytes is no work", () => {
    expect(plan(16, () => {})).toEqual([]);
  });

  test("scattered blocks share one piece of work", () => {
    const work = plan(16, (table) => {
      for (let block = 0; block < 16; block++) {
        table.append(3 * BLOCK_SIZE, ExtentState.unallocated);
        table.append(BLOCK_SIZE, ExtentState.data, block * 2 * BLOCK_SIZE);
      }
    });
    expect(work).toHaveLength(1);
    expect(work[0]?.length).toBe(16 * BLOCK_SIZE);
    expect(work[0]?.runs[15]).toEqual({
      zeroLength: 3 * BLOCK_SIZE,
      guestOffset: 63 * BLOCK_SIZE,
      storedLength: BLOCK_SIZE,
    });
  });

  test("long data is cut at the limit, and each part says where it lies", () => {
    const work = plan(4, (table) => table.append(9 * BLOCK_SIZE + 512, ExtentState.data, 512));
    expect(work.map(({ length }) => length)).toEqual([4 * BLOCK_SIZE, 4 * BLOCK_SIZE, BLOCK_SIZE + 512]);
    expect(work.map((piece) => partsOf(piece).map(({ hostOffset }) => hostOffset))).toEqual([
      [512],
      [512 + 4 * BLOCK_SIZE],
      [512 + 8 * BLOCK_SIZE, 512 + 9 * BLOCK_SIZE],
    ]);
  });

  test("a block of several extents is read in parts, the zeros among them too", () => {
    const work = plan(4, (table) => {
      table.append(20 * KiB, ExtentState.zero);
      table.append(24 * KiB, ExtentState.data, 7 * KiB);
      table.append(84 * KiB, ExtentState.unallocated);
    });
    expect(work).toHaveLength(1);
    expect(work[0]?.runs).toEqual([
      { zeroLength: 0, guestOffset: 0, storedLength: BLOCK_SIZE },
      { zeroLength: BLOCK_SIZE, guestOffset: 0, storedLength: 0 },
    ]);
    expect(partsOf(work[0] as BlockWork)).toEqual([
      { state: ExtentState.zero, length: 20 * KiB, hostOffset: expect.any(Number) },
      { state: ExtentState.data, length: 24 * KiB, hostOffset: 7 * KiB },
      { state: ExtentState.unallocated, length: 20 * KiB, hostOffset: expect.any(Number) },
    ]);
  });
});
