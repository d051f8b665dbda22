import { describe, expect, it } from "vitest";
import { MiB } from "../../../../../src/bytes/align.ts";
import { RangeSet } from "../../../../../src/bytes/range-set.ts";
import { qcow2Target } from "../../../../../src/formats/qcow2/target/target.ts";
import { ExtentState, ExtentTableBuilder, NOWHERE } from "../../../../../src/image/extent.ts";
import type { ConversionOptions } from "../../../../../src/image/source.ts";
import type { TargetOptionValues } from "../../../../../src/image/target-options.ts";
import { qcow2InMemory } from "../../../../formats/qcow2/in-memory.ts";
import { readNaively } from "../../../../formats/qcow2/naive-reader.ts";
import { plainSource } from "../../../../formats/qcow2/target-image.ts";

const CLUSTER = 4096;
type Row = readonly [length: number, state: ExtentState, hostOffset?: number, storedLength?: number];
const { data, zero, unallocated, compressed } = ExtentState;

const QCOW2: Setting = { source: { format: "qcow2" } };

function tableOf(rows: readonly Row[]) {
  const builder = new ExtentTableBuilder();
  for (const row of rows) builder.append(...row);
  return builder.finish(builder.end);
}

interface Setting {
  readonly source?: Partial<ConversionOptions>;
  readonly options?: TargetOptionValues;
  readonly additiveStart?: number;
  readonly oldFileSize?: number;
}

function map(rows: readonly Row[], setting: Setting = {}) {
  const extents = tableOf(rows);
  const virtualSize = rows.reduce((sum, [length]) => sum + length, 0);
  const source = plainSource({ clusterSize: CLUSTER, virtualSize, ...setting.source });
  const draft = qcow2Target.openConversionTarget(source, setting.options ?? {}, new Set());
  const additiveStart = setting.additiveStart ?? 16 * CLUSTER;
  return qcow2Target.map(draft, extents, { oldFileSize: setting.oldFileSize ?? additiveStart, additiveStart });
}

describe("the layout of a qcow2 target", () => {
  it("puts L2 tables, L1 table, refcount blocks and refcount table past the additive start", () => {
    const mapped = map([
      [2 * CLUSTER, data, 5 * CLUSTER],
      [CLUSTER, zero],
      [3 * MiB - 3 * CLUSTER, unallocated],
      [CLUSTER, data, 2 * CLUSTER],
    ]);
    const image = qcow2InMemory(mapped, plainSource({ clusterSize: CLUSTER, virtualSize: mapped.virtualSize }));
    const view = new DataView(image.buffer);
    expect(Number(view.getBigUint64(40))).toBe(18 * CLUSTER); // L1 behind two L2 tables; the table between them is not needed
    expect(view.getUint32(36)).toBe(2);
    expect(Number(view.getBigUint64(48))).toBe(20 * CLUSTER);
    expect(mapped).toMatchObject({ fileSize: 21 * CLUSTER, metadataBytes: 5 * CLUSTER });
    const { clusters, refcounts, references } = readNaively(image);
    expect(clusters).toEqual([
      { guestCluster: 0, kind: "data", hostOffset: 5 * CLUSTER, storedLength: 0 },
      { guestCluster: 1, kind: "data", hostOffset: 6 * CLUSTER, storedLength: 0 },
      { guestCluster: 2, kind: "zero", hostOffset: 0, storedLength: 0 },
      { guestCluster: 768, kind: "data", hostOffset: 2 * CLUSTER, storedLength: 0 },
    ]);
    expect([...refcounts].sort(([a], [b]) => a - b)).toEqual(
      [0, 2, 5, 6, 16, 17, 18, 19, 20].map((cluster) => [cluster, 1]),
    );
    expect(new Map([...references].sort())).toEqual(new Map([...refcounts].sort()));
  });

  it("makes no L2 table where nothing is mapped", () => {
    expect(map([[8 * MiB, unallocated]]).metadataBytes).toBe(3 * CLUSTER);
    expect(map([]).metadataBytes).toBe(2 * CLUSTER);
  });

  it("makes its large tables in memory that it is given, the same as in its own", () => {
    const size = 2 ** 31;
    const mapped = map([[size, data, CLUSTER]], { additiveStart: size + CLUSTER });
    let bytesAsked = 0;
    const given = (length: number) => {
      bytesAsked += length;
      return new Uint8Array(length);
    };
    const whole = (writes: Iterable<{ readonly bytes: Uint8Array }>) =>
      Buffer.concat(Array.from(writes, ({ bytes }) => bytes));
    expect(whole(mapped.additiveWrites(given)).equals(whole(mapped.additiveWrites()))).toBe(true);
    // All but what a table of tables takes.
    expect(bytesAsked).toBeGreaterThan(0.95 * mapped.metadataBytes);
  });

  it("gives the same ascending writes at each call, 1 MiB at most, that share no bytes", () => {
    const size = 2 ** 30;
    const mapped = map([[size, data, CLUSTER]], { additiveStart: size + CLUSTER });
    const first = [...mapped.additiveWrites()];
    const second = [...mapped.additiveWrites()];
    expect(second.map(({ hostOffset }) => hostOffset)).toEqual(first.map(({ hostOffset }) => hostOffset));
    expect(
      second.every(({ bytes }, index) => Buffer.compare(bytes, first[index]?.bytes ?? new Uint8Array()) === 0),
    ).toBe(true);
    expect(new Set(first.map(({ bytes }) => bytes.buffer)).size).toBe(first.length);
    let end = size + CLUSTER;
    for (const { hostOffset, bytes } of first) {
      expect(hostOffset).toBe(end);
      expect(bytes.length).toBeLessThanOrEqual(MiB);
      end += bytes.length;
    }
    expect(end).toBe(mapped.fileSize);
  });

  it("counts how many compressed clusters share a host cluster", () => {
    const rows: Row[] = [
      [CLUSTER, compressed, 4 * CLUSTER + 100, 924], // two sectors of cluster 4
      [CLUSTER, compressed, 4 * CLUSTER + 1024, 512],
      [CLUSTER, compressed, 5 * CLUSTER - 10, 522], // its last sector is the first of cluster 5
      [CLUSTER, data, 7 * CLUSTER],
      [512, compressed, 5 * CLUSTER + 3000, 72],
    ];
    const source = { format: "qcow2", compression: "zstd" as const };
    for (const refcountBits of [16, 32, 64]) {
      const mapped = map(rows, { source, options: { refcount_bits: refcountBits } });
      const image = qcow2InMemory(mapped, plainSource({ ...source, clusterSize: CLUSTER }));
      const { clusters, refcounts, references } = readNaively(image);
      expect(clusters.filter(({ kind }) => kind === "compressed")).toEqual(
        [0, 1, 2, 4].map((guestCluster) => ({
          guestCluster,
          kind: "compressed",
          hostOffset: rows[guestCluster]?.[2],
          storedLength: rows[guestCluster]?.[3],
        })),
      );
      expect(refcounts.get(4)).toBe(3);
      expect(refcounts.get(5)).toBe(2);
      expect(new Map([...references].sort())).toEqual(new Map([...refcounts].sort()));
      expect(image[79]).toBe(8); // incompatible bit 3
      expect(image[104]).toBe(1); // zstd
    }
  });

  it("covers tables that need refcount blocks that need more of them", () => {
    // 64-bit refcounts in 512-byte clusters: a block counts 64 clusters, a table cluster 64 blocks.
    for (let clusterCount = 1; clusterCount < 5000; clusterCount = Math.ceil(clusterCount * 1.13) + 1) {
      const length = clusterCount * 512;
      const mapped = map([[length, data, 512]], {
        source: { clusterSize: 512 },
        options: { refcount_bits: 64 },
        additiveStart: length + 512,
      });
      const image = qcow2InMemory(mapped, plainSource({ clusterSize: 512, virtualSize: length }));
      const { refcounts, references } = readNaively(image);
      expect(refcounts.size).toBe(mapped.fileSize / 512);
      expect(references.size).toBe(refcounts.size);
      expect([...refcounts.values(), ...references.values()].every((count) => count === 1)).toBe(true);
    }
  });

  it.each<[string, readonly Row[], Setting, string]>([
    ["data off its cluster", [[CLUSTER, data, 2 * CLUSTER + 512]], {}, "is no cluster"],
    ["data on the header", [[CLUSTER, data, 0]], {}, "lies on the header"],
    ["data before the file", [[CLUSTER, data, -CLUSTER]], {}, "lies on the header"],
    ["data on the new tables", [[CLUSTER, data, 16 * CLUSTER]], {}, "on new tables"],
    ["data past the new tables", [[CLUSTER, data, 100 * CLUSTER]], {}, "on new tables"],
    ["data that reaches into the new tables", [[2 * CLUSTER, data, 15 * CLUSTER]], {}, "on new tables"],
    ["a last cluster that reaches there", [[CLUSTER + 512, data, 15 * CLUSTER]], {}, "on new tables"],
    ["data nowhere", [[CLUSTER, data, NOWHERE]], {}, "is no cluster"],
    [
      "two units in one place",
      [
        [CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, data, 3 * CLUSTER],
      ],
      {},
      "host offset 0x3000 is used twice",
    ],
    [
      "runs that overlap",
      [
        [3 * CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, zero],
        [2 * CLUSTER, data, 5 * CLUSTER],
      ],
      {},
      "host offset 0x5000 is used twice",
    ],
    [
      "an extent that begins inside a cluster",
      [
        [512, data, 3 * CLUSTER],
        [CLUSTER, unallocated],
      ],
      {},
      "begins inside a cluster",
    ],
    ["zeros in version 2", [[CLUSTER, zero]], { options: { compat: "0.10" } }, "zeros can't be stored"],
    ["zeros with a place", [[CLUSTER, zero, 3 * CLUSTER]], {}, "zeros can't be stored"],
    [
      "compressed data by a method of another format",
      [[CLUSTER, compressed, 3 * CLUSTER, 100]],
      { source: { compression: undefined } },
      "can't stay",
    ],
    ["compressed data on the header", [[CLUSTER, compressed, 100, 100]], QCOW2, "out of reach"],
    ["compressed data on new tables", [[CLUSTER, compressed, 16 * CLUSTER - 100, 200]], QCOW2, "out of reach"],
    ["compressed data past new tables", [[CLUSTER, compressed, 100 * CLUSTER, 200]], QCOW2, "out of reach"],
    [
      "compressed data further than its entry can say",
      [[2 * MiB, compressed, 2 ** 49, 100]],
      { source: { format: "qcow2", clusterSize: 2 * MiB }, additiveStart: 2 ** 50 },
      "out of reach",
    ],
    ["compressed data of no bytes", [[CLUSTER, compressed, 3 * CLUSTER, 0]], QCOW2, "can't stay"],
    ["compressed data that is too long", [[CLUSTER, compressed, 3 * CLUSTER, 8193]], QCOW2, "is too long"],
    ["compressed data for two clusters", [[2 * CLUSTER, compressed, 3 * CLUSTER, 100]], QCOW2, "can't stay"],
    [
      "compressed data in a data cluster",
      [
        [CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, compressed, 3 * CLUSTER + 5, 100],
      ],
      QCOW2,
      "host offset 0x3000 is used twice",
    ],
    [
      "more compressed clusters in one place than 16 bits count",
      Array.from({ length: 65_536 }, (): Row => [CLUSTER, compressed, 3 * CLUSTER, 100]),
      QCOW2,
      "refcounts of 16 bits are too narrow",
    ],
    ["a start below the old end", [[CLUSTER, zero]], { oldFileSize: 17 * CLUSTER }, "new tables can't begin"],
    ["a start on the header", [[CLUSTER, zero]], { additiveStart: 0 }, "new tables can't begin"],
    ["a start off its cluster", [[CLUSTER, zero]], { additiveStart: 16 * CLUSTER + 512 }, "new tables can't begin"],
    ["fewer bytes than the disk", [[CLUSTER, zero]], { source: { virtualSize: 2 * CLUSTER } }, "the disk at 0x2000"],
    ["more bytes than the disk", [[CLUSTER, zero]], { source: { virtualSize: 512 } }, "the disk at 0x200"],
    [
      "a refcount table over 8 MiB",
      [[512, data, 512]],
      { source: { clusterSize: 512 }, options: { refcount_bits: 64 }, additiveStart: 2 ** 35 },
      "refcount table beyond 8 MiB",
    ],
  ])("refuses %s", (_, rows, setting, message) => {
    expect(() => map(rows, setting)).toThrow(expect.objectContaining({ kind: "out-of-bounds", format: "qcow2" }));
    expect(() => map(rows, setting)).toThrow(message);
  });

  it("refuses a table of extents that leaves a gap", () => {
    const table = tableOf([
      [CLUSTER, zero],
      [CLUSTER, unallocated],
    ]);
    const gap = { ...table, guestOffset: Float64Array.of(0, 2 * CLUSTER) };
    const draft = qcow2Target.openConversionTarget(
      plainSource({ virtualSize: 3 * CLUSTER, clusterSize: CLUSTER }),
      {},
      new Set(),
    );
    const space = { oldFileSize: CLUSTER, additiveStart: CLUSTER };
    expect(() => qcow2Target.map(draft, gap, space)).toThrow("leave a gap");
  });

  it("points across 4 GiB of the file", () => {
    const hostOffset = 2 ** 32 - CLUSTER;
    const mapped = map([[2 * CLUSTER, data, hostOffset]], { additiveStart: 2 ** 32 + CLUSTER });
    const [l2 = new Uint8Array()] = [...mapped.additiveWrites()].map(({ bytes }) => bytes);
    const view = new DataView(l2.buffer, l2.byteOffset);
    expect(view.getBigUint64(0)).toBe((1n << 63n) | BigInt(hostOffset));
    expect(view.getBigUint64(8)).toBe((1n << 63n) | (1n << 32n));
  });

  it("cuts an L2 table of 2 MiB in two", () => {
    const half = 256 * 2 ** 30;
    const unit = 2 * MiB;
    const rows: Row[] = [
      [unit, data, 3 * unit],
      [half - unit, unallocated],
      [unit, data, 5 * unit],
    ];
    const mapped = map(rows, { source: { clusterSize: unit }, additiveStart: 8 * unit });
    const entries = [...mapped.additiveWrites()].slice(0, 2).map(({ bytes }) => {
      expect(bytes).toHaveLength(MiB);
      return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
    });
    expect(entries).toEqual([3, 5].map((cluster) => (1n << 63n) | BigInt(cluster * unit)));
  });

  it("needs one refcount block for what is far apart but counted together", () => {
    // 1-bit refcounts in 64 KiB clusters: a block counts 2^19 clusters, that is 32 GiB.
    const unit = 65_536;
    const rows: Row[] = [
      [unit, data, 5 * unit],
      [unit, data, 2 ** 18 * unit],
    ];
    const setting = { source: { clusterSize: unit }, options: { refcount_bits: 1 } };
    expect(map(rows, { ...setting, additiveStart: 2 ** 19 * unit }).metadataBytes).toBe((1 + 1 + 2 + 1) * unit);
  });

  it("fills a refcount table that takes several writes", () => {
    const unit = 512;
    const additiveStart = 2 ** 34; // 2^25 clusters, 2^19 blocks of 64 clusters, 4 MiB of table
    const rows: Row[] = [
      [unit, data, unit],
      [unit, data, 2 ** 33],
    ];
    const mapped = map(rows, { source: { clusterSize: unit }, options: { refcount_bits: 64 }, additiveStart });
    const { sector } = qcow2Target.copyHeader(mapped, plainSource({}), new Uint8Array(unit), new RangeSet());
    const tableHostOffset = Number(new DataView(sector.buffer).getBigUint64(48));
    const table = [...mapped.additiveWrites()].filter(({ hostOffset }) => hostOffset >= tableHostOffset);
    expect(table).toHaveLength(5);
    const entries: [number, bigint][] = [];
    let first = 0;
    for (const { bytes } of table) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (let at = 0; at < bytes.length; at += 8) {
        if (view.getBigUint64(at) > 0n) entries.push([first + at / 8, view.getBigUint64(at)]);
      }
      first += bytes.length / 8;
    }
    expect(entries.slice(0, 3).map(([index]) => index)).toEqual([0, 2 ** 18, 2 ** 19]);
    expect(entries.at(-1)?.[0]).toBe(Math.floor((mapped.fileSize / unit - 1) / 64));
    expect(entries.every(([, host], row) => Number(host) === Number(entries[0]?.[1]) + row * unit)).toBe(true);
  });

  it("keeps the source's way to compress, also where nothing is compressed yet", () => {
    for (const compression of ["zlib", "zstd"] as const) {
      const source = { format: "qcow2", compression };
      const image = qcow2InMemory(map([[CLUSTER, data, 3 * CLUSTER]], { source }), plainSource(source));
      expect([image[79], image[104]]).toEqual(compression === "zstd" ? [8, 1] : [0, 0]);
    }
  });

  it("lets data reach up to the new tables, and compressed data of the greatest length", () => {
    expect(map([[CLUSTER, data, 15 * CLUSTER]]).fileSize).toBe(20 * CLUSTER);
    const mapped = map([[CLUSTER, compressed, 3 * CLUSTER, 8192]], { source: { format: "qcow2" } });
    const image = qcow2InMemory(mapped, plainSource({ clusterSize: CLUSTER }));
    expect(readNaively(image).clusters[0]?.storedLength).toBe(8192);
  });

  it("is only of use to the target that made it", () => {
    const foreign = { ...map([[CLUSTER, zero]]), layout: undefined };
    const { layout: _, ...stranger } = foreign;
    expect(() => qcow2Target.copyHeader(stranger, plainSource({}), new Uint8Array(CLUSTER), new RangeSet())).toThrow(
      TypeError,
    );
  });
});
