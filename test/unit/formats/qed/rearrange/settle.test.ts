import { describe, expect, it } from "vitest";
import { openQed } from "../../../../../src/formats/qed/image.ts";
import type { Rearrangement } from "../../../../../src/image/write.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import {
  type BuiltQedImage,
  buildQedImage,
  type QedImageDescription,
  setEntry,
} from "../../../../formats/qed/builder.ts";
import { readQedNaively } from "../../../../formats/qed/naive-reader.ts";
import { applyEpoch, tearEpoch } from "../../../../support/apply-epoch.ts";
import { type Random, seededRandom } from "../../../../support/random.ts";

const CLUSTER = 4096;

async function planFor(file: Uint8Array): Promise<Rearrangement> {
  return (await openQed(memoryStorage(file))).planSettling();
}

async function settled(file: Uint8Array): Promise<Uint8Array> {
  return (await planFor(file)).epochs.reduce(applyEpoch, file);
}

/** A valid image with the same guest as `expected`; leaks at most. */
function expectSameGuest(file: Uint8Array, expected: ReturnType<typeof readQedNaively>): void {
  const found = readQedNaively(file);
  expect(found.corruptions).toBe(0);
  expect(found.states.join()).toBe(expected.states.join());
  expect(Buffer.compare(found.guest, expected.guest)).toBe(0);
}

function expectSettled(file: Uint8Array, original: ReturnType<typeof readQedNaively>): void {
  expectSameGuest(file, original);
  expect(readQedNaively(file).leaks).toBe(0);
  expect(file.length % CLUSTER).toBe(0);
}

/** Tables moved to `tablesAt`, as a switch to QED leaves them, with what follows the data as leaks. */
function withTablesAt(built: BuiltQedImage, tablesAt: number): Uint8Array {
  const tableBytes = 2 * CLUSTER;
  const l2Offsets = [...built.l2Offsets];
  const file = new Uint8Array(tablesAt + (l2Offsets.length + 1) * tableBytes);
  file.set(built.bytes);
  const view = new DataView(file.buffer);
  const l1 = new Uint8Array(tableBytes);
  const l1View = new DataView(l1.buffer);
  for (const [ordinal, [index, from]] of l2Offsets.entries()) {
    const to = tablesAt + ordinal * tableBytes;
    file.copyWithin(to, from, from + tableBytes);
    setEntry(l1View, 0, index, to);
  }
  const l1At = tablesAt + l2Offsets.length * tableBytes;
  file.set(l1, l1At);
  view.setBigUint64(40, BigInt(l1At), true);
  return file;
}

function randomDescription(random: Random): QedImageDescription {
  const clusters = random.pick([48, 48, 1100]);
  const some = (count: number) =>
    Array.from({ length: count }, () => random.below(random.pick([Math.min(clusters, 40), clusters])));
  const data = [...new Set(some(random.below(24)))];
  const zero = [...new Set(some(random.below(8)))].filter((cluster) => !data.includes(cluster));
  return {
    virtualSize: clusters * CLUSTER - random.pick([0, 512, 2048]),
    data,
    zero,
    seed: random.below(1000),
    shuffleTables: random.chance(0.6),
    tables: random.pick(["first", "last"]),
    leaks: random.pick([0, 0, 1, 5, 30]),
    headerSize: random.pick([1, 1, 1, 2]),
    tail: random.pick([0, 0, 100, 4095]),
    ...(random.chance(0.4) ? { staleHeaderByte: 0x77 } : {}),
    ...(random.chance(0.3) ? { backingName: "b".repeat(random.pick([4, 448, 700])), backingIsRaw: true } : {}),
  };
}

describe("settling QED", () => {
  it("leaves an image without leaks as it is, wherever its tables lie", async () => {
    for (const tables of ["first", "last"] as const) {
      const { bytes } = buildQedImage({ virtualSize: 1 << 20, data: [0, 5, 2], zero: [9], tables });
      expect((await planFor(bytes)).epochs).toEqual([]);
    }
  });

  it("needs no move but a truncation where all leaks lie at the end", async () => {
    const { bytes } = buildQedImage({ virtualSize: 1 << 20, data: [0, 5], leaks: 3, tail: 7 });
    const plan = await planFor(bytes);
    expect(plan.epochs.map((epoch) => epoch.purpose)).toEqual(["truncate the file"]);
    expect(plan).toMatchObject({ bytesMoved: 0, bytesWritten: 0, fileSize: bytes.length - 3 * CLUSTER - 7 });
  });

  it("moves no table that lies below the settled end, and only the data past it", async () => {
    const built = buildQedImage({ virtualSize: 1 << 20, data: [0, 1, 2, 3, 4], leaks: 2, seed: 12 });
    const plan = await planFor(built.bytes);
    const past = [...built.dataOffsets.values()].filter((hostOffset) => hostOffset >= plan.fileSize).length;
    expect(past).toBeGreaterThan(0);
    expect(plan.bytesMoved).toBe(past * CLUSTER);
    expect(plan.bytesWritten).toBe(512);
    expectSettled(plan.epochs.reduce(applyEpoch, built.bytes), readQedNaively(built.bytes));
  });

  it("puts tables from past the end behind the data, re-pointing first what lies there", async () => {
    const built = buildQedImage({ virtualSize: 1 << 20, data: [0, 1, 2, 3, 4, 5, 6, 7], leaks: 0 });
    const file = withTablesAt(built, 64 * CLUSTER);
    const plan = await planFor(file);
    expect(plan.fileSize).toBe((1 + 8 + 4) * CLUSTER);
    expect(plan.epochs.map((epoch) => epoch.purpose)).toEqual([
      "copy data into the holes",
      "re-point the moved data",
      "write the final tables",
      "switch to the new tables",
      "truncate the file",
    ]);
    const after = plan.epochs.reduce(applyEpoch, file);
    expectSettled(after, readQedNaively(file));
    expect(new DataView(after.buffer).getBigUint64(40, true)).toBe(BigInt(plan.fileSize - 2 * CLUSTER));
  });

  it("saves a barrier where no data lies at the final tables' place", async () => {
    const built = buildQedImage({ virtualSize: 1 << 20, data: [0], leaks: 9 });
    const leakAt = built.dataOffsets.get(0) as number;
    const far = leakAt + 9 * CLUSTER;
    built.bytes.copyWithin(far, leakAt, leakAt + CLUSTER);
    setEntry(new DataView(built.bytes.buffer), built.l2Offsets.get(0) as number, 0, far);
    const file = withTablesAt(built, 64 * CLUSTER);
    const plan = await planFor(file);
    expect(plan.epochs.map((epoch) => epoch.purpose)).toEqual([
      "copy data into the holes, write the final tables",
      "switch to the new tables",
      "truncate the file",
    ]);
    expectSettled(plan.epochs.reduce(applyEpoch, file), readQedNaively(file));
  });

  it("copies tables that are in the way past the end first", async () => {
    // The settled end lies within the tables.
    const built = buildQedImage({ virtualSize: 8 << 20, data: [0, 1, 2, 1500], tables: "last", leaks: 4 });
    const file = built.bytes;
    const plan = await planFor(file);
    expect(plan.epochs[0]?.purpose).toBe("copy the tables past the end");
    expectSettled(plan.epochs.reduce(applyEpoch, file), readQedNaively(file));
  });

  it("gives up what entries past the disk's end reference", async () => {
    const built = buildQedImage({ virtualSize: 1 << 20, data: [0, 1], leaks: 1 });
    setEntry(new DataView(built.bytes.buffer), built.l2Offsets.get(0) as number, 700, built.bytes.length - CLUSTER);
    const after = await settled(built.bytes);
    expectSettled(after, readQedNaively(built.bytes));
    expect(after.length).toBe((1 + 2 + 4) * CLUSTER);
  });

  it("zeroes stale header bytes, keeps the backing name, clears unknown autoclear bits", async () => {
    for (const backingNameAt of [64, 500, 3000]) {
      const name = "base-of-this-image.raw";
      const { bytes } = buildQedImage({
        virtualSize: 1 << 20,
        data: [1],
        backingName: name,
        backingNameAt,
        staleHeaderByte: 0x99,
        autoclearFeatures: 1n << 40n,
      });
      const plan = await planFor(bytes);
      expect(plan.epochs).toHaveLength(1);
      const after = plan.epochs.reduce(applyEpoch, bytes);
      const header = after.slice(0, CLUSTER);
      expect(Buffer.from(header.subarray(backingNameAt, backingNameAt + name.length)).toString()).toBe(name);
      expect(header.subarray(32, 40).every((byte) => byte === 0)).toBe(true);
      header.fill(0, backingNameAt, backingNameAt + name.length);
      expect(header.subarray(64).every((byte) => byte === 0)).toBe(true);
      expect((await planFor(after)).epochs).toEqual([]);
    }
  });

  it("refuses an image that is not clean but for leaks", async () => {
    const twice = buildQedImage({ virtualSize: 1 << 20, data: [0, 1] });
    const [l2Offset] = [...twice.l2Offsets.values()];
    setEntry(new DataView(twice.bytes.buffer), l2Offset as number, 9, twice.dataOffsets.get(0) as number);
    await expect(planFor(twice.bytes)).rejects.toThrow(/^Cannot settle the image: .* referenced elsewhere/);
    const marked = buildQedImage({ virtualSize: 1 << 20, features: 2n }).bytes;
    await expect(planFor(marked)).rejects.toThrow("Cannot settle the image: it is marked NEED_CHECK");
  });

  it("keeps the guest and shows leaks only, wherever the power is cut, and finishes from there (60 images)", async () => {
    const random = seededRandom(20);
    const kinds = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const built = buildQedImage(randomDescription(random));
      const file = random.chance(0.4)
        ? withTablesAt(built, built.bytes.length - (built.bytes.length % CLUSTER) + random.below(40) * CLUSTER)
        : built.bytes;
      const original = readQedNaively(file);
      const plan = await planFor(file);
      kinds.add(plan.epochs.map((epoch) => epoch.purpose).join(" / "));
      let state = file;
      for (const epoch of plan.epochs) {
        for (let cut = 0; cut < 4; cut++) {
          const torn = tearEpoch(state, epoch, random);
          expectSameGuest(torn, original);
          if (cut === 0) expectSettled(await settled(torn), original);
        }
        state = applyEpoch(state, epoch);
        expectSameGuest(state, original);
      }
      expectSettled(state, original);
      expect(state.length).toBe(plan.fileSize);
      expect((await planFor(state)).epochs).toEqual([]);
    }
    // The random images reach every way of settling.
    expect(kinds.size).toBeGreaterThanOrEqual(7);
  });
});
