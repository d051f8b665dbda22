/** VHDX, Parallels and VDI as targets: what they choose, what they refuse, and entries that no small image has. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { targetDriverOf } from "../../../src/formats/target-registry.ts";
import { ExtentState, ExtentTableBuilder } from "../../../src/image/extent.ts";
import { type ConversionOptions, DISK_ALONE } from "../../../src/image/source.ts";
import type { TargetOptionValues } from "../../../src/image/target-options.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

const sourceOf = (virtualSize: number, more: Partial<ConversionOptions> = {}): ConversionOptions => ({
  ...DISK_ALONE,
  format: "qcow2",
  virtualSize,
  clusterSize: MiB,
  clustersPerTable: 0,
  sharingSize: MiB,
  usedHeader: RangeSet.of({ start: 0, end: 512 }),
  ...more,
});
const draftOf = (
  format: string,
  size: number,
  options: TargetOptionValues = {},
  more: Partial<ConversionOptions> = {},
) => targetDriverOf(format).openConversionTarget(sourceOf(size, more), options, new Set());

const BACKING = { nameBytes: Buffer.from("base"), name: "base", format: "raw", hostOffset: 600 };

test.each(["vhdx", "parallels", "vdi"])("%s holds no snapshots, no backing file, no disk of no bytes", (format) => {
  expect(draftOf(format, MiB).refusals).toEqual([]);
  expect(String(draftOf(format, MiB, {}, { snapshotCount: 2 }).refusals)).toMatch(/2 snapshots/);
  expect(String(draftOf(format, MiB, {}, { backing: BACKING }).refusals)).toMatch(/Cannot keep the backing file/);
  expect(String(draftOf(format, 0).refusals)).toMatch(/a disk of 0 bytes/);
});

test("a block of a VHDX is the smallest whose table stays small, or as asked", () => {
  const blockOf = (size: number, options?: TargetOptionValues) => draftOf("vhdx", size, options).options.block_size;
  expect([GiB, 100 * GiB, 2 * TiB, 64 * TiB].map((size) => blockOf(size))).toEqual([MiB, MiB, 4 * MiB, 128 * MiB]);
  expect([0, 256 * MiB].map((asked) => blockOf(GiB, { block_size: asked }))).toEqual([MiB, 256 * MiB]);
  for (const asked of [512 * 1024, 3 * MiB, 512 * MiB])
    expect(() => blockOf(GiB, { block_size: asked })).toThrow(UsageError);
  expect(() => draftOf("vhdx", GiB, { subformat: "fixed" })).toThrow(UsageError);
  expect(String(draftOf("vhdx", 65 * TiB).refusals)).toMatch(/up to 64 TiB/);
});

test("a track of Parallels is as large as the BAT at the front needs, or refused where it is asked for", () => {
  const trackOf = (size: number) => draftOf("parallels", size).options.cluster_size;
  expect([GiB, 500 * GiB, 512 * GiB, 4 * TiB].map(trackOf)).toEqual([MiB, MiB, 2 * MiB, 16 * MiB]);
  expect(String(draftOf("parallels", TiB, { cluster_size: 65_536 }).refusals)).toMatch(
    /Cannot make a BAT of 16777216 tracks of 65536 bytes: .*choose a larger cluster_size/,
  );
  expect(() => draftOf("parallels", GiB, { cluster_size: 63 * 512 })).toThrow(UsageError);
});

test("a VDI's map finds its place up to half a TiB", () => {
  expect(draftOf("vdi", 511 * GiB).refusals).toEqual([]);
  expect(String(draftOf("vdi", 512 * GiB).refusals)).toMatch(/no more than 524160 can be kept free there/);
  expect(draftOf("vdi", 300 * GiB).placement.dense?.from).toBe(2 * MiB);
  expect(() => draftOf("vdi", GiB, { static: true })).toThrow(UsageError);
});

describe("entries", () => {
  /** The first block, and the last of a disk of 5 GiB, which lies beyond 4 GiB of the file. */
  const extents = () => {
    const builder = new ExtentTableBuilder();
    builder.append(MiB, ExtentState.data, 3 * MiB);
    builder.append(5 * GiB - 2 * MiB, ExtentState.unallocated);
    builder.append(MiB, ExtentState.data, 5 * GiB);
    return builder.finish(5 * GiB);
  };
  const space = { oldFileSize: 6 * GiB, additiveStart: 6 * GiB };

  test("of a VHDX leave room for those of sector bitmaps", () => {
    const mapped = targetDriverOf("vhdx").map(draftOf("vhdx", 5 * GiB), extents(), space);
    const [, bat] = [...mapped.additiveWrites()];
    const table = Buffer.from(bat?.bytes ?? []);
    expect(bat?.hostOffset).toBe(6 * GiB + 2 * MiB);
    expect(table.length).toBe((5120 + 1) * 8);
    expect(table.readBigUInt64LE(0)).toBe(BigInt(3 * MiB) + 6n);
    // One bitmap's entry lies behind the first 4096 blocks.
    expect(table.readBigUInt64LE(5120 * 8)).toBe(BigInt(5 * GiB) + 6n);
    expect(table.subarray(8, 5120 * 8).every((byte) => byte === 0)).toBe(true);
    expect(mapped.metadataBytes).toBe([...mapped.additiveWrites()].reduce((sum, { bytes }) => sum + bytes.length, 0));
  });

  test("of Parallels count tracks, in the sectors behind the first one too", () => {
    const mapped = targetDriverOf("parallels").map(draftOf("parallels", 5 * GiB), extents(), space);
    const { sector, extras } = targetDriverOf("parallels").copyHeader(
      mapped,
      sourceOf(5 * GiB),
      new Uint8Array(MiB),
      new RangeSet(),
    );
    expect(Buffer.from(sector).readUInt32LE(64)).toBe(3);
    const [{ hostOffset, bytes }] = extras as [(typeof extras)[number]];
    expect(hostOffset).toBe(512);
    expect(Buffer.from(bytes).readUInt32LE(64 + 5119 * 4 - 512)).toBe(5120);
    expect(mapped.settling.fileSize).toBe(5 * GiB + MiB);
  });

  test("of a VDI can't leave a hole", () => {
    expect(() => targetDriverOf("vdi").map(draftOf("vdi", 5 * GiB), extents(), space)).toThrow(/Cannot map 2 blocks/);
  });
});
