/** Two images in one file: what lies where it lay is not read, what moved is, and states are compared in any case. */

import { describe, expect, test } from "vitest";
import { MiB } from "../../../../src/bytes/align.ts";
import type { CompressionMethod } from "../../../../src/image/compression.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { firstMovedDifference } from "../../../../src/image/guest/moved-difference.ts";
import { composeGuestView, type GuestView } from "../../../../src/image/guest/view.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import type { Storage } from "../../../../src/storage/storage.ts";

const CLUSTER = 4096;

interface LayerFacts {
  readonly compression?: CompressionMethod;
  readonly clusterSize?: number;
}

function view(storage: Storage, fill: (table: ExtentTableBuilder) => void, facts: LayerFacts = {}): GuestView {
  const table = new ExtentTableBuilder();
  fill(table);
  const virtualSize = table.end;
  return composeGuestView([
    {
      storage,
      extents: table.finish(virtualSize),
      virtualSize,
      clusterSize: facts.clusterSize ?? CLUSTER,
      compression: facts.compression ?? "zlib",
      // A stand-in: the cluster is the first stored byte over and over, then how many bytes are stored.
      inflate: (stored) => {
        const cluster = new Uint8Array(CLUSTER).fill(stored[0] as number);
        cluster[CLUSTER - 1] = stored.length & 0xff;
        return cluster;
      },
    },
  ]);
}

/** Counts bytes read. */
function counted(bytes: Uint8Array) {
  const inner = memoryStorage(bytes);
  const counter = { readBytes: 0 };
  const storage: Storage = {
    ...inner,
    read(hostOffset, into) {
      counter.readBytes += into.length;
      return inner.read(hostOffset, into);
    },
  };
  return { storage, counter };
}

const at = (storage: Storage, hostOffset: number, length = CLUSTER) =>
  view(storage, (table) => table.append(length, ExtentState.data, hostOffset));
const reading = { readsMoved: true } as const;
const trusting = { readsMoved: false } as const;

describe("data", () => {
  test("that lies where it lay is not read", async () => {
    const { storage, counter } = counted(new Uint8Array(4 * CLUSTER));
    const before = at(storage, CLUSTER, 2 * CLUSTER);
    const pieces = view(storage, (table) => {
      table.append(CLUSTER, ExtentState.data, CLUSTER);
      table.append(CLUSTER, ExtentState.data, 2 * CLUSTER);
    });
    expect(await firstMovedDifference(before, pieces, reading)).toBeNull();
    expect(counter.readBytes).toBe(0);
  });

  test("that moved is read at both places, to its end", async () => {
    const length = 2 * MiB + 512;
    const file = new Uint8Array(2 * length).fill(7);
    const [before, after] = [at(memoryStorage(file), 0, length), at(memoryStorage(file), length, length)];
    expect(await firstMovedDifference(before, after, reading)).toBeNull();
    for (const difference of [0, MiB - 1, MiB, length - 1]) {
      file[length + difference] = 8;
      expect(await firstMovedDifference(before, after, reading)).toBe(difference);
      expect(await firstMovedDifference(before, after, trusting)).toBeNull();
      file[length + difference] = 7;
    }
  });

  test("that became zeros is told without a read, and by one where it reads as zeros", async () => {
    const zeros = memoryStorage(new Uint8Array(CLUSTER));
    const gone = view(zeros, (table) => table.append(CLUSTER, ExtentState.zero));
    expect(await firstMovedDifference(at(zeros, 0), gone, trusting)).toBe(0);
    expect(await firstMovedDifference(gone, at(zeros, 0), trusting)).toBeNull();
    expect(await firstMovedDifference(at(zeros, 0), gone, reading)).toBeNull();
  });
});

test("disks of two lengths differ where the shorter ends", async () => {
  const storage = memoryStorage(new Uint8Array(2 * CLUSTER));
  expect(await firstMovedDifference(at(storage, 0), at(storage, 0, 2 * CLUSTER), reading)).toBe(CLUSTER);
  expect(await firstMovedDifference(at(storage, 0, 2 * CLUSTER), at(storage, 0), reading)).toBe(CLUSTER);
});

describe("compressed data", () => {
  const file = new Uint8Array(2 * CLUSTER).fill(3);
  const compressed = (storedLength: number, facts: LayerFacts = {}) => {
    const { storage, counter } = counted(file);
    return {
      made: view(storage, (table) => table.append(CLUSTER, ExtentState.compressed, 512, storedLength), facts),
      counter,
    };
  };

  test("at its place and of its length is not read", async () => {
    const [before, after] = [compressed(100), compressed(100)];
    expect(await firstMovedDifference(before.made, after.made, reading)).toBeNull();
    expect(before.counter.readBytes + after.counter.readBytes).toBe(0);
  });

  test("of another length or method is read", async () => {
    const before = compressed(100);
    expect(await firstMovedDifference(before.made, compressed(99).made, reading)).toBe(CLUSTER - 1);
    expect(await firstMovedDifference(before.made, compressed(100, { compression: "zstd" }).made, reading)).toBeNull();
    expect(before.counter.readBytes).toBeGreaterThan(0);
  });

  test("of which another piece is shown is read", async () => {
    const storage = memoryStorage(new Uint8Array(CLUSTER));
    const before = view(storage, (table) => {
      table.append(CLUSTER, ExtentState.compressed, 512, 100);
      table.append(1024, ExtentState.zero);
    });
    const after = view(storage, (table) => {
      table.append(1024, ExtentState.zero);
      table.append(CLUSTER, ExtentState.compressed, 512, 100);
    });
    expect(await firstMovedDifference(before, after, reading)).toBe(CLUSTER - 1);
  });
});
