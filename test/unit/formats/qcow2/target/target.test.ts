import { describe, expect, it } from "vitest";
import { MiB, TiB } from "../../../../../src/bytes/align.ts";
import { UsageError } from "../../../../../src/bytes/image-error.ts";
import { qcow2Target } from "../../../../../src/formats/qcow2/target/target.ts";
import type { ConversionOptions } from "../../../../../src/image/source.ts";
import { makeable, type TargetOptionValues } from "../../../../../src/image/target-options.ts";
import { backingFile, plainSource } from "../../../../formats/qcow2/target-image.ts";

function draftOf(source: Partial<ConversionOptions>, options: TargetOptionValues = {}, ...drop: string[]) {
  return qcow2Target.openConversionTarget(plainSource(source), options, new Set(drop));
}

describe("the draft of a qcow2 target", () => {
  it.each([
    [512, 512],
    [65_536, 65_536],
    [2 * MiB, 2 * MiB],
    [4 * MiB, 2 * MiB],
    [64 * MiB, 2 * MiB],
    [1, 65_536],
    [1536, 65_536],
  ])("of a source of clusters of %i bytes has clusters of %i", (sourceClusterSize, clusterSize) => {
    const draft = draftOf({ clusterSize: sourceClusterSize, virtualSize: MiB });
    expect(draft.clusterSize).toBe(clusterSize);
    expect(draft.placement).toMatchObject({ unitSize: clusterSize, hostAlignment: clusterSize, hasZeroState: true });
    expect([...draft.placement.reserved.each()]).toEqual([{ start: 0, end: clusterSize }]);
    expect(draft.options).toEqual({
      cluster_size: clusterSize,
      compat: "1.1",
      refcount_bits: 16,
      lazy_refcounts: false,
      compression_type: "zlib",
      extended_l2: false,
    });
  });

  it("has no subclusters: asked for they are refused, left out they are given up, and no way back asks for them", () => {
    expect(draftOf({}, { extended_l2: true }).refusals).toEqual([expect.stringContaining("use extended_l2=off")]);
    const source = { format: "qcow2", creationOptions: { compat: "1.1", extended_l2: true } };
    for (const options of [{}, { extended_l2: false }]) {
      expect(draftOf(source, options)).toMatchObject({ refusals: [], options: { extended_l2: false } });
    }
    expect(makeable(qcow2Target.options, { compat: "1.1", extended_l2: true })).toEqual({ compat: "1.1" });
    expect(makeable(qcow2Target.options, { extended_l2: false })).toEqual({ extended_l2: false });
  });

  it("takes larger clusters by itself where the L1 table would be too large, but not against the user", () => {
    expect(draftOf({ clusterSize: 4096, virtualSize: 8 * TiB }).clusterSize).toBe(4096);
    expect(draftOf({ clusterSize: 4096, virtualSize: 8 * TiB + 512 }).clusterSize).toBe(8192);
    const draft = draftOf({ clusterSize: 4096, virtualSize: 8 * TiB + 512 }, { cluster_size: 4096 });
    expect(draft.refusals).toEqual([expect.stringContaining("L1 table beyond 32 MiB")]);
  });

  it("of version 2 has no zero state", () => {
    expect(draftOf({}, { compat: "0.10" }).placement.hasZeroState).toBe(false);
  });

  it.each<[TargetOptionValues]>([
    [{ cluster_size: 256 }],
    [{ cluster_size: 4 * MiB }],
    [{ cluster_size: 3000 }],
    [{ compat: "1.2" }],
    [{ refcount_bits: 0 }],
    [{ refcount_bits: 3 }],
    [{ refcount_bits: 128 }],
    [{ compat: "0.10", refcount_bits: 8 }],
    [{ compat: "0.10", lazy_refcounts: true }],
    [{ lazy_refcounts: "yes" }],
    [{ table_size: 4 }],
  ])("can't be had with %o", (options) => {
    expect(() => draftOf({}, options)).toThrow(UsageError);
  });

  it("keeps what a qcow2 source has as far as the user's options allow", () => {
    const source = { format: "qcow2", creationOptions: { compat: "1.1", refcount_bits: 8, lazy_refcounts: true } };
    expect(draftOf(source, { cluster_size: 4096 }).options).toMatchObject({ refcount_bits: 8, lazy_refcounts: true });
    expect(draftOf(source, { compat: "0.10" }).options).toMatchObject({ refcount_bits: 16, lazy_refcounts: false });
    const old = { format: "qcow2", creationOptions: { compat: "0.10", refcount_bits: 16, lazy_refcounts: false } };
    expect(draftOf(old).options).toMatchObject({ compat: "0.10" });
    expect(draftOf(old, { refcount_bits: 1 }).options).toMatchObject({ compat: "1.1", refcount_bits: 1 });
    const other = { format: "qed", creationOptions: { cluster_size: 65_536, table_size: 4 } };
    expect(draftOf(other).options).toMatchObject({ compat: "1.1", refcount_bits: 16, lazy_refcounts: false });
  });

  it("names all reasons at once", () => {
    const { refusals, dropped } = draftOf(
      {
        snapshotCount: 2,
        bitmapNames: ["b0"],
        encryption: "luks",
        hasDataFile: true,
        virtualSize: 1000,
        backing: backingFile("n".repeat(1024), "f".repeat(16), 0),
        forgettable: ["unknown autoclear feature bit 7"],
      },
      {},
    );
    expect(refusals.map(String)).toEqual([
      expect.stringContaining("2 snapshots"),
      expect.stringContaining("the bitmaps b0"),
      expect.stringContaining("luks"),
      expect.stringContaining("external data file"),
      expect.stringContaining("no multiple of 512"),
      expect.stringContaining("1024 bytes"),
      expect.stringContaining("16 bytes"),
    ]);
    expect(dropped).toEqual(["unknown autoclear feature bit 7"]);
  });

  it("gives up snapshots and bitmaps by name only", () => {
    const source = { snapshotCount: 1, bitmapNames: ["b0", "b1"] };
    expect(draftOf(source, {}, "snapshots", "bitmaps")).toMatchObject({
      refusals: [],
      dropped: ["1 snapshot", "bitmap b0", "bitmap b1"],
    });
    expect(draftOf(source, {}, "bitmaps").refusals).toHaveLength(1);
  });

  it("refuses a backing name that clusters of 512 bytes can't hold", () => {
    const backing = (length: number) => ({ clusterSize: 512, backing: backingFile("n".repeat(length), "raw", 0) });
    expect(draftOf(backing(512 - 112 - 16 - 8)).refusals).toEqual([]);
    expect(draftOf(backing(512 - 112 - 16 - 8 + 1)).refusals).toEqual([
      expect.stringContaining("header cluster of 512"),
    ]);
    expect(draftOf(backing(512 - 72 - 16 - 8), { compat: "0.10" }).refusals).toEqual([]);
  });

  it("lets compressed clusters stay where qcow2 can point at them as they are", () => {
    const qcow2 = { format: "qcow2", clusterSize: 65_536 };
    expect(draftOf(qcow2).placement.compressed).toEqual({ clusterSize: 65_536, method: "zlib" });
    expect(draftOf(qcow2, { compat: "0.10" }).placement.compressed).toBeDefined();
    expect(draftOf({ ...qcow2, compression: "zstd" }).placement.compressed?.method).toBe("zstd");
    expect(draftOf({ ...qcow2, compression: "zstd" }, { compat: "0.10" }).placement.compressed).toBeUndefined();
    expect(draftOf(qcow2, { compression_type: "zstd" }).placement.compressed).toBeUndefined();
    expect(draftOf(qcow2, { cluster_size: 4096 }).placement.compressed).toBeUndefined();
    expect(draftOf(qcow2, { refcount_bits: 8 }).placement.compressed).toBeUndefined();
    expect(draftOf({ ...qcow2, compression: undefined }).placement.compressed).toBeUndefined();
  });
});
