import { describe, expect, it } from "vitest";
import { MiB } from "../../../../src/bytes/align.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { qcow2Target } from "../../../../src/formats/qcow2/target.ts";
import type { ConversionOptions, TargetOptionValues } from "../../../../src/image/driver.ts";
import { ExtentState, ExtentTableBuilder, NOWHERE } from "../../../../src/image/extent.ts";
import { qcow2InMemory } from "../../../support/qcow2-in-memory.ts";
import { readNaively } from "../../../support/qcow2-naive-reader.ts";
import { plainSource } from "../../../support/qcow2-target-image.ts";

const CLUSTER = 4096;
type Row = readonly [length: number, state: ExtentState, hostOffset?: number, storedLength?: number];
const { data, zero, unallocated, compressed } = ExtentState;

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

  it.each<[string, readonly Row[], Setting]>([
    ["data off its cluster", [[CLUSTER, data, 2 * CLUSTER + 512]], {}],
    ["data on the header", [[CLUSTER, data, 0]], {}],
    ["data on the new tables", [[CLUSTER, data, 16 * CLUSTER]], {}],
    ["data that reaches into the new tables", [[2 * CLUSTER, data, 15 * CLUSTER]], {}],
    ["a last cluster that reaches into the new tables", [[CLUSTER + 512, data, 15 * CLUSTER]], {}],
    ["data nowhere", [[CLUSTER, data, NOWHERE]], {}],
    [
      "two units in one place",
      [
        [CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, data, 3 * CLUSTER],
      ],
      {},
    ],
    [
      "runs that overlap",
      [
        [3 * CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, zero],
        [2 * CLUSTER, data, 5 * CLUSTER],
      ],
      {},
    ],
    [
      "an extent that begins inside a cluster",
      [
        [512, data, 3 * CLUSTER],
        [CLUSTER, unallocated],
      ],
      {},
    ],
    ["zeros in version 2", [[CLUSTER, zero]], { options: { compat: "0.10" } }],
    ["compressed data of another format", [[CLUSTER, compressed, 3 * CLUSTER, 100]], {}],
    ["compressed data on the header", [[CLUSTER, compressed, 100, 100]], { source: { format: "qcow2" } }],
    [
      "compressed data on the new tables",
      [[CLUSTER, compressed, 16 * CLUSTER - 100, 200]],
      { source: { format: "qcow2" } },
    ],
    ["compressed data of no bytes", [[CLUSTER, compressed, 3 * CLUSTER, 0]], { source: { format: "qcow2" } }],
    ["compressed data that is too long", [[CLUSTER, compressed, 3 * CLUSTER, 8193]], { source: { format: "qcow2" } }],
    [
      "compressed data over two clusters of guest",
      [[2 * CLUSTER, compressed, 3 * CLUSTER, 100]],
      { source: { format: "qcow2" } },
    ],
    [
      "compressed data in a data cluster",
      [
        [CLUSTER, data, 3 * CLUSTER],
        [CLUSTER, compressed, 3 * CLUSTER + 5, 100],
      ],
      { source: { format: "qcow2" } },
    ],
    ["a start below the old end", [[CLUSTER, zero]], { oldFileSize: 17 * CLUSTER }],
    ["a start off its cluster", [[CLUSTER, zero]], { additiveStart: 16 * CLUSTER + 512 }],
    ["fewer bytes than the disk", [[CLUSTER, zero]], { source: { virtualSize: 2 * CLUSTER } }],
    ["more bytes than the disk", [[CLUSTER, zero]], { source: { virtualSize: 512 } }],
    [
      "a refcount table over 8 MiB",
      [[512, data, 512]],
      { source: { clusterSize: 512 }, options: { refcount_bits: 64 }, additiveStart: 2 ** 35 },
    ],
  ])("refuses %s", (_, rows, setting) => {
    expect(() => map(rows, setting)).toThrow(expect.objectContaining({ kind: "out-of-bounds", format: "qcow2" }));
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
