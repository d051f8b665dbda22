/** The dynamic VHD target: its draft, its tables, its commit, and how it is settled; each state read by the naive reader. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { openImage, probeFormat } from "../../../../src/formats/registry.ts";
import { vpcTarget } from "../../../../src/formats/vpc/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { type ConversionOptions, DISK_ALONE } from "../../../../src/image/source.ts";
import type { TargetOptionValues } from "../../../../src/image/target-options.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildQcow } from "../../../formats/qcow/builder.ts";
import { buildFooter } from "../../../formats/vpc/builder.ts";
import { buildDynamic } from "../../../formats/vpc/dynamic/builder.ts";
import { readDynamicNaively } from "../../../formats/vpc/dynamic/naive-reader.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const BLOCK = 4 * KiB;
const PITCH = BLOCK + 512;
const SMALL = { block_size: BLOCK } as const;

const sourceOf = (virtualSize: number, more: Partial<ConversionOptions> = {}): ConversionOptions => ({
  ...DISK_ALONE,
  format: "qcow",
  virtualSize,
  clusterSize: BLOCK,
  clustersPerTable: 512,
  sharingSize: 512,
  usedHeader: RangeSet.of({ start: 0, end: 512 }),
  ...more,
});
const draftOf = (virtualSize: number, options: TargetOptionValues = {}, more: Partial<ConversionOptions> = {}) =>
  vpcTarget.openConversionTarget(sourceOf(virtualSize, more), options, new Set());

/** A disk of five blocks, of which 0, 3 and 4 lie in this order of slots. */
function committed(slots: Readonly<Record<number, number>>, oldFileSize = 40 * KiB) {
  const virtualSize = 5 * BLOCK - 512;
  const draft = draftOf(virtualSize, SMALL);
  const extents = new ExtentTableBuilder();
  const file = Buffer.alloc(oldFileSize, 0xee);
  const guest = Buffer.alloc(virtualSize);
  for (let block = 0; block < 5; block++) {
    const slot = slots[block];
    const length = Math.min(BLOCK, virtualSize - block * BLOCK);
    if (slot === undefined) {
      extents.append(length, ExtentState.unallocated);
      continue;
    }
    const hostOffset = 4 * KiB + slot * PITCH + 512;
    extents.append(length, ExtentState.data, hostOffset);
    guest.fill(block + 1, block * BLOCK, block * BLOCK + length);
    file.fill(block + 1, hostOffset, hostOffset + length).fill(0, hostOffset + length, hostOffset + BLOCK);
  }
  const mapped = vpcTarget.map(draft, extents.finish(virtualSize), { oldFileSize, additiveStart: oldFileSize });
  const commit = vpcTarget.copyHeader(mapped, sourceOf(virtualSize), file.subarray(0, 4096), new RangeSet());
  const image = Buffer.concat([file, Buffer.alloc(mapped.fileSize - oldFileSize)]);
  const writes = [...commit.extras, ...(mapped.leadIns?.() ?? []), ...mapped.additiveWrites()];
  for (const { hostOffset, bytes } of writes) image.set(bytes, hostOffset);
  const before = Buffer.from(image);
  image.set(commit.sector, commit.hostOffset);
  return { mapped, commit, image, before, guest, writes };
}

describe("a dynamic VHD", () => {
  test("is what qemu-img's default is, with the specification's blocks and the disk's own size", () => {
    expect(draftOf(5 * MiB + 512)).toMatchObject({
      virtualSize: 5 * MiB + 512,
      placement: { unitSize: 2 * MiB, leadIn: 512, hostAlignment: 512 },
      options: { subformat: "dynamic", force_size: true, block_size: 2 * MiB },
      refusals: [],
    });
    expect(draftOf(MiB, { subformat: "dynamic", force_size: true }).placement.reserved.end).toBe(4 * KiB);
    expect(draftOf(2040 * 1024 * MiB).placement.reserved.end).toBe(1536 + 2040 * 512 * 4);
  });

  test("refuses what it has no place for", () => {
    const backing = { nameBytes: Buffer.from("base"), name: "base", format: "raw", hostOffset: 100 };
    expect(draftOf(0).refusals.map(String)).toEqual([expect.stringMatching(/disk of 0 bytes/)]);
    expect(draftOf(MiB, {}, { backing, snapshotCount: 1 }).refusals.map(String)).toEqual([
      expect.stringMatching(/snapshot/),
      expect.stringMatching(/a dynamic VHD has none/),
    ]);
  });

  test("has its table behind all that it could grow to, and its footer at both ends", async () => {
    const { mapped, commit, image, before, guest, writes } = committed({ 0: 1, 3: 0, 4: 2 });
    // Three blocks are there, and two could come.
    expect(mapped).toMatchObject({ fileSize: 40 * KiB + 512 + 512, settling: { fileSize: 4 * KiB + 3 * PITCH + 512 } });
    expect(committed({ 0: 0 }, 9 * KiB).mapped.fileSize).toBe(4 * KiB + 5 * PITCH + 512 + 512);
    expect(writes.map(({ hostOffset }) => hostOffset)).toEqual([
      512,
      ...[1, 0, 2].map((at) => 4 * KiB + at * PITCH),
      40 * KiB,
      40 * KiB + 512,
    ]);
    expect(Buffer.compare(commit.sector, image.subarray(-512))).toBe(0);
    expect(Buffer.compare(readDynamicNaively(image), guest)).toBe(0);
    // Before the commit nothing but its end speaks of a VHD.
    expect(before.subarray(0, 512).every((byte) => byte === 0xee)).toBe(true);
    expect((await openImage(memoryStorage(image))).getConversionOptions().creationOptions).toMatchObject(SMALL);
  });

  test("refuses a block where none can be", () => {
    const draft = draftOf(BLOCK, SMALL);
    const extents = (hostOffset: number) => {
      const table = new ExtentTableBuilder();
      table.append(BLOCK, ExtentState.data, hostOffset);
      return table.finish(BLOCK);
    };
    const map = (hostOffset: number) =>
      vpcTarget.map(draft, extents(hostOffset), { oldFileSize: 0, additiveStart: 16 * KiB });
    expect(() => map(4 * KiB - 512)).toThrow(/no unit can lie there/);
    expect(() => map(12 * KiB + 512)).toThrow(/no unit can lie there/);
    expect(() => map(5 * KiB + 100)).toThrow(/no unit can lie there/);
    expect(map(5 * KiB).fileSize).toBe(16 * KiB + 1024);
  });
});

describe("settled", () => {
  test("its table comes to the front, and its file ends behind its last block; each state shows the same guest", async () => {
    const { image, guest, mapped } = committed({ 0: 1, 3: 0, 4: 2 });
    let file = Buffer.from(image);
    const opened = await openImage(memoryStorage(file));
    const { epochs, fileSize, bytesWritten } = (await opened.planSettling?.()) ?? {
      epochs: [],
      fileSize: 0,
      bytesWritten: 0,
    };
    expect(epochs.map(({ purpose }) => purpose)).toEqual([
      "write the table to its place",
      "point at the table",
      "write the footer behind the last block",
      "cut off what lies behind it",
    ]);
    const end = 4 * KiB + 3 * PITCH;
    for (const epoch of epochs) {
      for (const { start, end: zerosEnd } of epoch.zeros?.each() ?? []) file.fill(0, start, zerosEnd);
      for (const { hostOffset, bytes } of epoch.writes?.() ?? []) file.set(bytes, hostOffset);
      if (epoch.fileSize !== undefined) file = file.subarray(0, epoch.fileSize);
      expect(Buffer.compare(readDynamicNaively(file), guest), epoch.purpose).toBe(0);
      // Once it is pointed at, QEMU's next block goes behind the last one.
      if (epoch.repoints) expect(file.subarray(end, 40 * KiB).every((byte) => byte === 0)).toBe(true);
    }
    expect(file.length).toBe(end + 512);
    expect([fileSize, mapped.settling.fileSize, bytesWritten]).toEqual([file.length, file.length, 512 * 3]);
    const settled = await openImage(memoryStorage(file));
    expect(await settled.check?.()).toMatchObject({ corruptions: 0, warnings: 0, findings: [] });
    expect((await settled.planSettling?.())?.epochs).toEqual([]);
  });

  test.each([
    ["a header elsewhere", buildDynamic({ virtualSize: 3 * BLOCK, data: [0], headerOffset: 1024 }).bytes],
    [
      "a block in the table's place",
      buildDynamic({ virtualSize: 3 * BLOCK, data: [0], batOffset: 64 * KiB, entries: { 0: 3 } }).bytes,
    ],
    ["a footer that is gone", buildDynamic({ virtualSize: 3 * BLOCK, data: [0], ending: Buffer.alloc(512) }).bytes],
  ])("nothing is of %s", async (_, bytes) => {
    const opened = await openImage(memoryStorage(bytes), "vpc").catch(() => undefined);
    expect((await opened?.planSettling?.())?.epochs ?? []).toEqual([]);
  });
});

test("a dynamic disk's footer at the end makes no VHD of what begins with another format's header; a fixed one's does", async () => {
  const qcow = buildQcow({ virtualSize: 8 * KiB, data: [0] }).bytes;
  const ended = (diskType: number) =>
    memoryStorage(Buffer.concat([qcow, buildFooter({ diskType, currentSize: 8 * KiB })]));
  expect((await probeFormat(ended(3))).name).toBe("qcow");
  await expect(probeFormat(ended(2))).rejects.toThrow(/it looks like qcow and vpc/);
});
