import { describe, expect, it, test } from "vitest";
import { UsageError } from "../../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { rawDriver } from "../../../../src/formats/raw/driver.ts";
import { openImage } from "../../../../src/formats/registry.ts";
import { geometryFor, sizeOf } from "../../../../src/formats/vpc/geometry.ts";
import { vpcTarget } from "../../../../src/formats/vpc/target.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../../../src/image/extent.ts";
import type { Identity } from "../../../../src/image/fresh-id.ts";
import { type ConversionOptions, DISK_ALONE } from "../../../../src/image/source.ts";
import type { Draft } from "../../../../src/image/target.ts";
import { parseOptionValue, type TargetOptionValues } from "../../../../src/image/target-options.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildMkimgVhd, buildVpc } from "../../../formats/vpc/builder.ts";
import { readVpcNaively } from "../../../formats/vpc/naive-reader.ts";
import { openWith } from "../../../support/open-with.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const FIXED = { subformat: "fixed" } as const;

const rawOf = (virtualSize: number, more: Partial<ConversionOptions> = {}): ConversionOptions => ({
  ...DISK_ALONE,
  format: "raw",
  virtualSize,
  clusterSize: 65_536,
  clustersPerTable: 0,
  sharingSize: 65_536,
  usedHeader: RangeSet.of({ start: 0, end: virtualSize }),
  ...more,
});
const draftOf = (virtualSize: number, options: TargetOptionValues = FIXED, more: Partial<ConversionOptions> = {}) =>
  vpcTarget.openConversionTarget(rawOf(virtualSize, more), options, new Set());

function linear(length: number): ExtentTable {
  const extents = new ExtentTableBuilder();
  extents.append(length, ExtentState.data, 0);
  return extents.finish(length);
}

/** The commit of a disk of so many bytes. */
function commitOf(draft: Draft, virtualSize: number, identity?: Identity) {
  const space = { oldFileSize: virtualSize, additiveStart: virtualSize };
  const mapped = vpcTarget.map(draft, linear(virtualSize), space);
  const commit = vpcTarget.copyHeader(mapped, rawOf(virtualSize), new Uint8Array(512), new RangeSet(), { identity });
  return { mapped, commit };
}

/** A raw file's bytes as the fixed VHD that they become. */
async function converted(raw: Uint8Array, options: TargetOptionValues): Promise<Uint8Array> {
  const source = await openWith(rawDriver, memoryStorage(raw));
  const facts = source.getConversionOptions();
  const draft = vpcTarget.openConversionTarget(facts, options, new Set());
  expect(draft.refusals).toEqual([]);
  const mapped = vpcTarget.map(draft, await source.getMapping(), {
    oldFileSize: raw.length,
    additiveStart: raw.length,
  });
  const { kind, hostOffset, sector, extras } = vpcTarget.copyHeader(mapped, facts, raw.slice(0, 4096), new RangeSet());
  expect([kind, hostOffset, extras]).toEqual(["sector", mapped.fileSize, []]);
  expect([...mapped.additiveWrites()]).toEqual([]);
  const file = new Uint8Array(mapped.fileSize + 512);
  file.set(raw);
  file.set(sector, hostOffset);
  expect(mapped.settling).toEqual({ bytesMoved: 0, bytesWritten: 0, fileSize: file.length });
  return file;
}

describe("the disk's size", () => {
  test.each([
    // What Azure was seen to refuse.
    [21_475_270_656, FIXED, 21_475_885_056],
    [44_716_382_208, FIXED, 44_716_523_520],
    [10_737_893_376, FIXED, 10_738_466_816],
    [10 * GiB, FIXED, 10 * GiB],
    [0, FIXED, 0],
    [1, FIXED, MiB],
    [MiB + 512, { ...FIXED, force_size: false }, 2 * MiB],
    [MiB + 512, { ...FIXED, force_size: true }, MiB + 512],
    [MiB + 513, { ...FIXED, force_size: true }, MiB + 1024],
    [MiB + 512, { ...FIXED, force_size: true, align: MiB }, 2 * MiB],
    [5 * MiB, { ...FIXED, align: GiB }, GiB],
    [5 * MiB + 1, { ...FIXED, align: 4096 }, 5 * MiB + 4096],
  ] as const)("of %d bytes with %o is %d", (size, options, grown) => {
    const draft = draftOf(size, options);
    expect(draft).toMatchObject({ format: "vpc", virtualSize: grown, refusals: [] });
    expect(commitOf(draft, size).mapped).toMatchObject({ fileSize: grown, metadataBytes: 0 });
  });

  it("ends at 2040 GiB, where QEMU's does", () => {
    expect(draftOf(2040 * GiB).refusals).toEqual([]);
    expect(draftOf(2040 * GiB - 5).refusals).toEqual([]);
    expect(draftOf(2040 * GiB + 512).refusals).toEqual([expect.stringContaining("a VHD ends at 2190433320960")]);
  });
});

describe("refused", () => {
  test.each([
    [{ align: MiB }, /align for a dynamic VHD.*use subformat=fixed/],
    [{ subformat: "dynamic", gpt: "relocate" }, /gpt for a dynamic VHD/],
    [{ block_size: 3 * MiB }, /block_size=3145728.*power of two/],
    [{ ...FIXED, align: 0 }, /align=0.*multiple of 512/],
    [{ ...FIXED, align: 1000 }, /align=1000/],
    [{ ...FIXED, footer: "00" }, /none of a fixed VHD/],
    [{ ...FIXED, footer: hexOf({ checksum: 1 }) }, /none of a fixed VHD/],
    [{ ...FIXED, footer: hexOf({ diskType: 3 }) }, /none of a fixed VHD/],
    [{ ...FIXED, footer: hexOf({ currentSize: 2n ** 60n }) }, /none of a fixed VHD/],
  ] as const)("%o", (options, says) => {
    expect(() => draftOf(MiB, options)).toThrow(UsageError);
    expect(() => draftOf(MiB, options)).toThrow(says);
  });

  test("what it has no place for", () => {
    const backing = { nameBytes: Buffer.from("base"), name: "base", format: "raw", hostOffset: 100 };
    const more = { backing, snapshotCount: 2, bitmapNames: ["b"], encryption: "luks", hasDataFile: true };
    const { refusals } = draftOf(MiB, FIXED, more);
    expect(refusals.map(String)).toEqual([
      expect.stringMatching(/2 snapshots/),
      expect.stringMatching(/bitmaps b/),
      expect.stringMatching(/luks encryption/),
      expect.stringMatching(/external data file/),
      expect.stringMatching(/Cannot keep the backing file: a fixed VHD has none/),
    ]);
  });

  test.each([
    ["data elsewhere", [[4096, ExtentState.data, 4096]], /to host offset 0x1000/],
    ["zeros elsewhere", [[4096, ExtentState.zero, 512]], /to host offset 0x200/],
    ["compressed data", [[4096, ExtentState.compressed, 0]], /no compressed data/],
    ["more than the disk", [[2 * MiB, ExtentState.data, 0]], /end at 0x200000, past 0x100000/],
  ] as const)("%s", (_name, rows, says) => {
    const extents = new ExtentTableBuilder();
    let end = 0;
    for (const [length, state, hostOffset] of rows) {
      extents.append(length, state, hostOffset, state === ExtentState.compressed ? 100 : 0);
      end += length;
    }
    const draft = draftOf(4096);
    const space = { oldFileSize: 4096, additiveStart: 4096 };
    expect(() => vpcTarget.map(draft, extents.finish(end), space)).toThrow(says);
  });

  test("a file that is longer than the disk: its end would cut it", () => {
    const space = { oldFileSize: MiB + 1, additiveStart: 2 * MiB };
    expect(() => vpcTarget.map(draftOf(4096), linear(4096), space)).toThrow(/Cannot put the footer at 0x100000/);
  });
});

describe("the mapping", () => {
  it("keeps holes, and what the disk gains reads as zeros", () => {
    const extents = new ExtentTableBuilder();
    extents.append(4096, ExtentState.data, 0);
    extents.append(4096, ExtentState.unallocated);
    const space = { oldFileSize: 8192, additiveStart: 8192 };
    const { data, unallocated } = ExtentState;
    expect([...eachExtent(vpcTarget.map(draftOf(8192), extents.finish(8192), space).extents)]).toMatchObject([
      { guestOffset: 0, hostOffset: 0, length: 4096, state: data },
      { guestOffset: 4096, length: MiB - 4096, state: unallocated },
    ]);
  });

  it("is linear: no unit may lie elsewhere", () => {
    expect(draftOf(MiB).placement).toMatchObject({
      unitSize: 512,
      hostAlignment: 512,
      linearBase: 0,
      hasZeroState: false,
    });
  });
});

describe("the footer", () => {
  const view = (sector: Uint8Array) => Buffer.from(sector.buffer, sector.byteOffset, sector.length);

  it("is the specification's, field by field", () => {
    const { commit } = commitOf(draftOf(10_737_893_376), 10_737_893_376);
    const footer = view(commit.sector);
    expect(footer.length).toBe(512);
    const size = 10_738_466_816;
    const { cylinders, heads, sectorsPerTrack } = geometryFor(size);
    expect([footer.toString("latin1", 0, 8), footer.readUInt32BE(8), footer.readUInt32BE(12)]).toEqual([
      "conectix",
      2,
      65_536,
    ]);
    expect([footer.readBigUInt64BE(16), footer.readBigUInt64BE(40), footer.readBigUInt64BE(48)]).toEqual([
      2n ** 64n - 1n,
      BigInt(size),
      BigInt(size),
    ]);
    expect([footer.readUInt16BE(56), footer[58], footer[59], footer.readUInt32BE(60)]).toEqual([
      cylinders,
      heads,
      sectorsPerTrack,
      2,
    ]);
    expect([footer.toString("latin1", 28, 32), footer.toString("latin1", 36, 40)]).toEqual(["win ", "Wi2k"]);
    const now = Date.now() / 1000 - 946_684_800;
    expect(Math.abs(footer.readUInt32BE(24) - now)).toBeLessThan(60);
    expect(footer.subarray(84).every((byte) => byte === 0)).toBe(true);
    expect(sizeOf({ cylinders, heads, sectorsPerTrack })).toBeLessThanOrEqual(size);
  });

  it("has a fresh id and time, or both from the guest's digest", () => {
    const sectorOf = (identity?: Identity) => view(commitOf(draftOf(MiB), MiB, identity).commit.sector);
    const idOf = (sector: Buffer) => sector.toString("hex", 68, 84);
    expect(idOf(sectorOf())).toMatch(/^.{12}4.{3}[89ab]/);
    expect(idOf(sectorOf())).not.toBe(idOf(sectorOf()));
    const [seed, other] = ["ab".repeat(32), "cd".repeat(32)];
    expect(sectorOf({ seed }).equals(sectorOf({ seed }))).toBe(true);
    expect(sectorOf({ seed }).readUInt32BE(24)).toBe(0);
    expect(idOf(sectorOf({ seed }))).toMatch(/^.{12}8.{3}[89ab]/);
    expect(idOf(sectorOf({ seed }))).not.toBe(idOf(sectorOf({ seed: other })));
  });
});

describe("there and back", () => {
  test.each([
    [0, FIXED],
    [512, FIXED],
    [70_000, FIXED],
    [70_000, { ...FIXED, force_size: true }],
    [70_144, { ...FIXED, force_size: true }],
  ] as const)("a raw of %d bytes with %o is found in the VHD", async (size, options) => {
    const raw = new Uint8Array(size).map((_, at) => at % 251);
    const file = await converted(raw, options);
    const guest = readVpcNaively(file);
    expect(Buffer.from(guest.subarray(0, size)).equals(raw)).toBe(true);
    expect(guest.subarray(size).every((byte) => byte === 0)).toBe(true);
    expect((await openImage(memoryStorage(file))).virtualSize).toBe(guest.length);
  });

  /** As the journal keeps them: text. */
  function optionsAgain(options: TargetOptionValues): TargetOptionValues {
    const texts = Object.entries(options).map(([name, value]) => [name, value === true ? "on" : `${value}`] as const);
    const values = texts.map(([name, text]) => {
      const option = vpcTarget.options.find((each) => each.name === name);
      if (option === undefined) throw new Error(name);
      return [name, parseOptionValue(option, text)] as const;
    });
    return Object.fromEntries(values);
  }

  test.each([
    [
      "of another's making",
      buildVpc({ virtualSize: 70_144, data: [0, 3], creator: "qem2", reservedByte: 9 }).bytes,
      {},
    ],
    [
      "read by its geometry",
      buildVpc({ virtualSize: 348_160, data: [1], creator: "vpc ", geometry: [10, 4, 17] }).bytes,
      {},
    ],
    [
      "cut by its geometry",
      buildVpc({ virtualSize: 348_160, currentSize: 360_448, data: [1], creator: "vpc ", geometry: [10, 4, 17] }).bytes,
      { size_from: "chs" },
    ],
  ])("a VHD %s is what it was, byte for byte", async (_name, file, options) => {
    const image = await openImage(memoryStorage(file), "vpc", { options });
    const again = optionsAgain(image.getConversionOptions().creationOptions);
    expect(Buffer.from(await converted(file.slice(0, image.virtualSize), again)).equals(file)).toBe(true);
  });

  test("a footer of before that speaks of another disk gives way to one of this", async () => {
    const { bytes } = buildMkimgVhd();
    const image = await openImage(memoryStorage(bytes), "vpc", { options: { size_from: "current" } });
    const again = optionsAgain(image.getConversionOptions().creationOptions);
    const file = await converted(bytes.slice(0, 6000), again);
    expect(readVpcNaively(file).length).toBe(6144);
  });
});

function hexOf(more: { checksum?: number; diskType?: number; currentSize?: bigint }): string {
  const { bytes } = buildVpc({ virtualSize: MiB, data: [], ...more });
  return Buffer.from(bytes.subarray(-512)).toString("hex");
}
