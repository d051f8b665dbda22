/** A monolithicSparse VMDK made: header, descriptor, directories and tables byte by byte, as "Virtual Disk Format 5.0" has them. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { sparseTarget } from "../../../../src/formats/vmdk/sparse/target.ts";
import { vmdkTarget } from "../../../../src/formats/vmdk/target.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import type { GuestMaterial, MappedDraft } from "../../../../src/image/target.ts";
import type { TargetOptionValues } from "../../../../src/image/target-options.ts";
import { plainSource } from "../../../formats/qcow2/target-image.ts";

const KiB = 1024;
const TiB = 1024 ** 4;
const GRAIN = 64 * KiB;
const TABLE = 512 * GRAIN;
const START = 2 ** 30;
const SIXTEEN = 16 * KiB;

type Row = readonly [length: number, state: ExtentState, hostOffset?: number];

function tableOf(...rows: readonly Row[]): ExtentTable {
  const builder = new ExtentTableBuilder();
  for (const row of rows) builder.append(...row);
  return builder.finish(rows.reduce((sum, [length]) => sum + length, 0));
}

function draftOf(virtualSize: number, clusterSize = GRAIN, options: TargetOptionValues = {}) {
  return vmdkTarget.openConversionTarget(plainSource({ virtualSize, clusterSize }), options, new Set());
}

function mapped(rows: readonly Row[], clusterSize = GRAIN, additiveStart = START): MappedDraft {
  const extents = tableOf(...rows);
  const virtualSize = rows.reduce((sum, [length]) => sum + length, 0);
  return vmdkTarget.map(draftOf(virtualSize, clusterSize), extents, { oldFileSize: additiveStart - 1, additiveStart });
}

function commitOf(draft: MappedDraft, guest?: GuestMaterial) {
  return vmdkTarget.copyHeader(draft, plainSource({}), new Uint8Array(GRAIN), new RangeSet(), guest);
}

/** What lies where, words of 4 bytes that are not 0, whoever wrote them; throws where two writes are not in order. */
function wordsOf(draft: MappedDraft): Map<number, number> {
  const words = new Map<number, number>();
  let end = START;
  for (const { hostOffset, bytes } of draft.additiveWrites()) {
    if (hostOffset < end) throw new Error(`a write at ${hostOffset} goes back behind ${end}`);
    end = hostOffset + bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 4) {
      const word = view.getUint32(at, true);
      if (word !== 0) words.set(hostOffset + at, word);
    }
  }
  if (end > draft.fileSize) throw new Error("a write ends behind the file");
  return words;
}

/** As a reader goes by one of the two directories: grain by grain, its place or 0. */
function grainsBy(field: 48 | 56, draft: MappedDraft, grains: readonly number[]): number[] {
  const header = Buffer.from(commitOf(draft).sector);
  const words = wordsOf(draft);
  const directory = Number(header.readBigUInt64LE(field)) * 512;
  return grains.map((grain) => {
    const table = (words.get(directory + 4 * Math.floor(grain / 512)) ?? 0) * 512;
    expect(table, `table of grain ${grain}`).toBeGreaterThan(directory);
    return (words.get(table + 4 * (grain % 512)) ?? 0) * 512;
  });
}

describe("the header", () => {
  const draft = mapped([
    [TABLE, ExtentState.data, 2 * GRAIN],
    [GRAIN, ExtentState.unallocated],
    [1536, ExtentState.data, 21 * 512],
  ]);
  const { kind, hostOffset, sector, extras } = commitOf(draft, { fileName: "disk.img" });
  const header = Buffer.from(sector);

  test("is one sector at the start, each field where the specification has it", () => {
    expect({ kind, hostOffset, length: sector.length }).toEqual({ kind: "sector", hostOffset: 0, length: 512 });
    expect(header.toString("latin1", 0, 4)).toBe("KDMV");
    expect([4, 8].map((at) => header.readUInt32LE(at))).toEqual([1, 3]);
    const redundant = START / 512;
    const first = redundant + 1 + 2 * 4;
    expect([12, 20, 28, 36].map((at) => Number(header.readBigUInt64LE(at)))).toEqual([
      (TABLE + GRAIN + 1536) / 512,
      128,
      1,
      20,
    ]);
    expect(header.readUInt32LE(44)).toBe(512);
    expect([48, 56, 64].map((at) => Number(header.readBigUInt64LE(at)))).toEqual([redundant, first, 21]);
    expect([...header.subarray(72, 79)]).toEqual([0, 10, 32, 13, 10, 0, 0]);
    expect(header.subarray(79).every((byte) => byte === 0)).toBe(true);
  });

  test("comes with the descriptor, in all of the room that is kept for it", () => {
    expect(extras.map((extra) => [extra.hostOffset, extra.bytes.length])).toEqual([[512, 20 * 512]]);
    const text = Buffer.from(extras[0]?.bytes as Uint8Array);
    const end = text.indexOf(0);
    expect(text.subarray(end).every((byte) => byte === 0)).toBe(true);
    const lines = text.toString("utf8", 0, end).split("\n");
    expect(lines).toContain('createType="monolithicSparse"');
    expect(lines).toContain(`RW ${(TABLE + GRAIN + 1536) / 512} SPARSE "disk.img"`);
    expect(lines).toContain("parentCID=ffffffff");
    expect(lines).toContain('ddb.adapterType = "ide"');
  });

  test.each([
    ["dïsk of mine.img", "dïsk of mine.img"],
    ["x".repeat(255), "x".repeat(255)],
    ['a"b.img', "disk.vmdk"],
    ['a\nRW 1 FLAT "passwd" 0', "disk.vmdk"],
    [undefined, "disk.vmdk"],
  ])("names the file %j as %j", (fileName, name) => {
    const text = Buffer.from(commitOf(draft, { fileName }).extras[0]?.bytes as Uint8Array).toString("utf8");
    expect(text.match(/^RW .*$/gm)).toEqual([`RW ${draft.virtualSize / 512} SPARSE "${name}"`]);
  });

  test("has its content id from the guest, where that is asked for", () => {
    const text = (seed?: string) =>
      Buffer.from(
        commitOf(draft, { identity: seed === undefined ? undefined : { seed } }).extras[0]?.bytes as Uint8Array,
      );
    expect(text("a").equals(text("a"))).toBe(true);
    expect(text("a").equals(text("b"))).toBe(false);
    expect(text().equals(text())).toBe(false);
  });
});

describe("the tables", () => {
  test("lead to each grain by both directories, holes and a last grain in part included", () => {
    const draft = mapped([
      [3 * GRAIN, ExtentState.data, 5 * GRAIN],
      [GRAIN, ExtentState.zero],
      [GRAIN, ExtentState.data, 33 * 512],
      [TABLE - 6 * GRAIN, ExtentState.unallocated],
      // Across the border of two tables.
      [2 * GRAIN, ExtentState.data, 100 * GRAIN],
      [2 * TABLE - GRAIN, ExtentState.unallocated],
      [1024, ExtentState.data, 9 * GRAIN],
    ]);
    const grains = [0, 2, 3, 4, 5, 510, 511, 512, 513, 1023, 1024, 1535, 1536];
    const places = [5 * GRAIN, 7 * GRAIN, 0, 33 * 512, 0, 0, 100 * GRAIN, 101 * GRAIN, 0, 0, 0, 0, 9 * GRAIN];
    expect(grainsBy(56, draft, grains)).toEqual(places);
    expect(grainsBy(48, draft, grains)).toEqual(places);
    // Two of each directory's four have no grain: nothing is written for them.
    expect(draft.metadataBytes).toBe(2 * (4 * 4 + 3 * 2048));
    expect([...draft.additiveWrites()].reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(draft.metadataBytes);
  });

  test("beyond so many as are written at once are right at each border", () => {
    const count = 530;
    const draft = mapped(
      [
        [515 * 512 * SIXTEEN, ExtentState.data, 2 * SIXTEEN],
        [512 * SIXTEEN, ExtentState.unallocated],
        [(count - 516) * 512 * SIXTEEN, ExtentState.data, 2 ** 36],
      ].map(([length, state, at]) => [length, state, at] as Row),
      SIXTEEN,
      2 ** 37,
    );
    const tables = [0, 1, 511, 512, 513, 514, 516, 517, count - 1];
    const grains = tables.flatMap((table) => [table * 512, table * 512 + 511]);
    const place = (grain: number) =>
      grain < 515 * 512 ? (2 + grain) * SIXTEEN : 2 ** 36 + (grain - 516 * 512) * SIXTEEN;
    expect(grainsBy(56, draft, grains)).toEqual(grains.map(place));
    expect(grainsBy(48, draft, [...grains, 515 * 512])).toEqual([...grains.map(place), 0]);
  });

  test("end the file with a whole grain, which the last of them is part of", () => {
    const { fileSize } = mapped([[GRAIN, ExtentState.unallocated]]);
    expect(fileSize).toBe(START + GRAIN);
    expect(mapped([[4 * TABLE, ExtentState.unallocated]]).fileSize % GRAIN).toBe(0);
  });

  test("are the same at each call", () => {
    const draft = mapped([[GRAIN, ExtentState.data, GRAIN]]);
    expect([...wordsOf(draft)]).toEqual([...wordsOf(draft)]);
  });
});

describe("a grain", () => {
  test.each([
    [512, 8],
    [4 * KiB, 8],
    [8 * KiB, 8],
    [SIXTEEN, 16],
    [GRAIN, 64],
    [2048 * KiB, 64],
    [3 * KiB, 64],
  ])("for clusters of %d bytes has %d KiB", (clusterSize, kibs) => {
    expect(draftOf(GRAIN, clusterSize)).toMatchObject({ clusterSize: kibs * KiB, refusals: [] });
  });

  test.each<[string, readonly Row[]]>([
    ["on the header's and the descriptor's place", [[GRAIN, ExtentState.data, 20 * 512]]],
    ["between sectors", [[GRAIN, ExtentState.data, GRAIN + 8]]],
    ["where the tables come", [[GRAIN, ExtentState.data, START - 512]]],
    ["whose rest lies there", [[512, ExtentState.data, START - GRAIN + 512]]],
    ["behind 2^32 sectors", [[GRAIN, ExtentState.data, 2 * TiB]]],
    [
      "that begins inside another",
      [
        [512, ExtentState.unallocated],
        [GRAIN, ExtentState.data, GRAIN],
      ],
    ],
  ])("%s is refused", (_, rows) => expect(() => mapped(rows)).toThrow(/^Cannot map guest offset/));

  test("stored compressed is refused, and so is a disk of another length", () => {
    const builder = new ExtentTableBuilder();
    builder.append(GRAIN, ExtentState.compressed, GRAIN, 512);
    const extents = builder.finish(GRAIN);
    const space = { oldFileSize: START, additiveStart: START };
    expect(() => vmdkTarget.map(draftOf(GRAIN), extents, space)).toThrow(/plain/);
    const short = tableOf([GRAIN, ExtentState.unallocated]);
    expect(() => vmdkTarget.map(draftOf(2 * GRAIN), short, space)).toThrow(/extents end at 0x10000/);
  });
});

describe("the bound of 2 TiB", () => {
  test("is the disk's", () => {
    expect(draftOf(2 * TiB).refusals).toEqual([]);
    expect(`${draftOf(2 * TiB + 512).refusals}`).toMatch(/2199023256064 bytes is larger than a sparse VMDK's/);
  });

  test("is the file's", () => {
    const rows: readonly Row[] = [[GRAIN, ExtentState.unallocated]];
    expect(mapped(rows, GRAIN, 2 * TiB - GRAIN).fileSize).toBe(2 * TiB);
    expect(() => mapped(rows, GRAIN, 2 * TiB)).toThrow(/no byte behind 2 TiB/);
  });
});

test("what it has no place for is refused, each by name", () => {
  const source = plainSource({
    virtualSize: 0,
    snapshotCount: 2,
    bitmapNames: ["b"],
    backing: { nameBytes: new Uint8Array(1), name: "b", format: undefined, hostOffset: 0 },
  });
  const { refusals } = sparseTarget.openConversionTarget(source, {}, new Set());
  expect(refusals.map(String).join("\n")).toMatch(/snapshots[\s\S]*bitmap[\s\S]*backing file[\s\S]*0 bytes/);
  expect(vmdkTarget.front?.(GRAIN, {})).toBe(21 * 512);
  expect(vmdkTarget.front?.(GRAIN, { subformat: "monolithicFlat" })).toBe(0);
});
