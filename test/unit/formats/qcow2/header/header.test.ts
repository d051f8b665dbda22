import { describe, expect, it } from "vitest";
import { ImageError } from "../../../../../src/bytes/image-error.ts";
import { flagsOf, NO_FLAGS } from "../../../../../src/bytes/struct.ts";
import { encodeFeatureNames, encodeHeaderExtensions } from "../../../../../src/formats/qcow2/header/extensions.ts";
import {
  bytesPerL2Table,
  parseHeader,
  Qcow2CompressionField,
  Qcow2HeaderV2,
  Qcow2HeaderV3,
  readHeader,
} from "../../../../../src/formats/qcow2/header/header.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";

const CLUSTER = 65_536;
const FIXED = {
  magic: 0x514649fb,
  version: 3,
  backingFileOffset: 0,
  backingFileSize: 0,
  clusterBits: 16,
  size: 10 * 2 ** 30,
  cryptMethod: 0,
  l1Size: 20,
  l1TableOffset: 3 * CLUSTER,
  refcountTableOffset: CLUSTER,
  refcountTableClusters: 1,
  snapshotCount: 0,
  snapshotsOffset: 0,
};
const FEATURES = {
  incompatibleFeatures: NO_FLAGS,
  compatibleFeatures: NO_FLAGS,
  autoclearFeatures: NO_FLAGS,
  refcountOrder: 4,
  headerLength: 112,
};

interface HeaderShape {
  readonly fixed?: Partial<typeof FIXED>;
  readonly features?: Partial<typeof FEATURES>;
  readonly compressionType?: number;
  readonly extensions?: Uint8Array;
  readonly name?: Uint8Array;
}

/** A header cluster that is valid but for what `shape` says. */
function headerCluster(shape: HeaderShape = {}): Uint8Array {
  const fixed = { ...FIXED, ...shape.fixed };
  const cluster = new Uint8Array(CLUSTER);
  Qcow2HeaderV2.encode(fixed, cluster);
  let end = 72;
  if (fixed.version !== 2) {
    const features = { ...FEATURES, ...shape.features };
    Qcow2HeaderV3.encode(features, cluster);
    end = features.headerLength;
    if (end >= 112) {
      Qcow2CompressionField.encode(
        { compressionType: shape.compressionType ?? 0, padding: new Uint8Array(7) },
        cluster,
      );
    }
  }
  if (end <= CLUSTER) cluster.set(shape.extensions ?? encodeHeaderExtensions([]), end);
  if (shape.name) cluster.set(shape.name, fixed.backingFileOffset);
  return cluster;
}

/** Writes a raw 64-bit number, also ones that no double holds. */
function with64(hostOffset: number, value: bigint, shape: HeaderShape = {}): Uint8Array {
  const cluster = headerCluster(shape);
  new DataView(cluster.buffer).setBigUint64(hostOffset, value);
  return cluster;
}

function refusalOf(cluster: Uint8Array): ImageError {
  try {
    parseHeader(cluster, "disk.qcow2");
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error("the header was taken");
}

describe("a qcow2 header", () => {
  it("of version 3 is read field by field", () => {
    const name = new TextEncoder().encode("base.raw");
    const header = parseHeader(
      headerCluster({
        fixed: { backingFileOffset: 512, backingFileSize: 8, snapshotCount: 2, snapshotsOffset: 7 * CLUSTER },
        features: { compatibleFeatures: flagsOf(0), autoclearFeatures: flagsOf(63), refcountOrder: 0 },
        extensions: encodeHeaderExtensions([{ type: 0xe2792aca, data: new TextEncoder().encode("raw") }]),
        name,
      }),
    );
    expect(header).toMatchObject({
      version: 3,
      clusterSize: CLUSTER,
      virtualSize: 10 * 2 ** 30,
      encryption: undefined,
      l1EntryCount: 20,
      l1TableHostOffset: 3 * CLUSTER,
      refcountTableHostOffset: CLUSTER,
      refcountTableClusterCount: 1,
      refcountBits: 1,
      snapshotCount: 2,
      snapshotTableHostOffset: 7 * CLUSTER,
      compatible: flagsOf(0),
      autoclear: flagsOf(63),
      compression: "zlib",
      headerLength: 112,
      backing: { name: "base.raw", nameBytes: name, format: "raw", hostOffset: 512 },
    });
    expect([...header.usedRanges.each()]).toEqual([
      { start: 0, end: 112 + 16 + 8 },
      { start: 512, end: 520 },
    ]);
  });

  it("may have its backing name right behind its extensions, without an end mark", () => {
    const extension = encodeHeaderExtensions([{ type: 0xe2792aca, data: new TextEncoder().encode("raw") }]).subarray(
      0,
      16,
    );
    const name = new TextEncoder().encode("/a/name/that/is/no/extension");
    const fixed = { backingFileOffset: 128, backingFileSize: name.length };
    const { backing, extensions } = parseHeader(headerCluster({ fixed, extensions: extension, name }));
    expect(backing).toMatchObject({ name: "/a/name/that/is/no/extension", format: "raw" });
    expect(extensions.end).toBe(128);
  });

  it("of version 2 has 16-bit refcounts and no features, whatever follows it", () => {
    const cluster = headerCluster({ fixed: { version: 2 } });
    cluster.fill(0xff, 80);
    expect(parseHeader(cluster)).toMatchObject({
      version: 2,
      refcountBits: 16,
      headerLength: 72,
      incompatible: NO_FLAGS,
    });
  });

  it("tells encryption, data file, subclusters and zstd", () => {
    expect(parseHeader(headerCluster({ fixed: { cryptMethod: 1 } })).encryption).toBe("aes");
    expect(parseHeader(headerCluster({ fixed: { cryptMethod: 2 } })).encryption).toBe("luks");
    expect(parseHeader(headerCluster({ features: { incompatibleFeatures: flagsOf(2) } })).hasDataFile).toBe(true);
    const zstd = headerCluster({ features: { incompatibleFeatures: flagsOf(3) }, compressionType: 1 });
    expect(parseHeader(zstd).compression).toBe("zstd");
    const subclusters = headerCluster({ fixed: { l1Size: 40 }, features: { incompatibleFeatures: flagsOf(4) } });
    expect(parseHeader(subclusters).hasSubclusters).toBe(true);
    expect(bytesPerL2Table(CLUSTER, true) * 2).toBe(bytesPerL2Table(CLUSTER));
  });

  it("is read from a file that ends inside its first cluster, and from one of large clusters", async () => {
    expect((await readHeader(memoryStorage(headerCluster().slice(0, 600)))).clusterSize).toBe(CLUSTER);
    const far = headerCluster({
      fixed: { backingFileOffset: 60_000, backingFileSize: 3 },
      name: new Uint8Array([97, 98, 99]),
    });
    expect((await readHeader(memoryStorage(far))).backing?.name).toBe("abc");
  });

  it("with an L1 table as small as the disk allows is taken", () => {
    expect(parseHeader(headerCluster({ fixed: { size: 20 * 2 ** 29 } })).l1EntryCount).toBe(20);
    expect(parseHeader(headerCluster({ fixed: { size: 0, l1Size: 0, l1TableOffset: 0 } })).l1EntryCount).toBe(0);
  });

  it.each<[string, Uint8Array, string, string, number]>([
    ["version 1", headerCluster({ fixed: { version: 1 } }), "unsupported", "version 1 is neither 2 nor 3", 4],
    ["version 4", headerCluster({ fixed: { version: 4 } }), "unsupported", "version 4 is neither 2 nor 3", 4],
    ["clusters of 256 bytes", headerCluster({ fixed: { clusterBits: 8 } }), "corrupt", "8 lies outside 9 to 21", 20],
    ["clusters of 4 MiB", headerCluster({ fixed: { clusterBits: 22 } }), "corrupt", "22 lies outside 9 to 21", 20],
    [
      "subclusters in clusters of 8 KiB",
      headerCluster({
        fixed: { clusterBits: 13, l1Size: 4_000_000 },
        features: { incompatibleFeatures: flagsOf(4) },
      }),
      "corrupt",
      "outside 14 to 21 for extended L2",
      20,
    ],
    ["a size of 2^63", with64(24, 2n ** 63n), "corrupt", "size of the qcow2 header", -1],
    ["a size of 2^53", with64(24, 2n ** 53n), "corrupt", "beyond 2^53", -1],
    ["a size of 1,000 bytes", headerCluster({ fixed: { size: 1000 } }), "unsupported", "no multiple of 512", 24],
    ["encryption method 3", headerCluster({ fixed: { cryptMethod: 3 } }), "unsupported", "method 3 is not known", 32],
    [
      "an L1 table over 32 MiB",
      headerCluster({ fixed: { l1Size: 2 ** 22 + 1 } }),
      "unsupported",
      "more than 32 MiB",
      36,
    ],
    ["a giant L1 table", headerCluster({ fixed: { l1Size: 2 ** 32 - 1 } }), "unsupported", "more than 32 MiB", 36],
    ["an L1 table one entry short", headerCluster({ fixed: { l1Size: 19 } }), "corrupt", "the disk needs 20", 36],
    ["an L1 table off its cluster", headerCluster({ fixed: { l1TableOffset: 512 } }), "corrupt", "no multiple of", 40],
    ["an L1 table beyond 2^56", with64(40, 2n ** 60n), "corrupt", "l1TableOffset", -1],
    ["no refcount table", headerCluster({ fixed: { refcountTableClusters: 0 } }), "corrupt", "no refcount table", 56],
    [
      "a refcount table over 8 MiB",
      headerCluster({ fixed: { refcountTableClusters: 129 } }),
      "unsupported",
      "8 MiB",
      56,
    ],
    [
      "a refcount table on the header",
      headerCluster({ fixed: { refcountTableOffset: 0 } }),
      "corrupt",
      "on the header",
      48,
    ],
    [
      "a crooked refcount table",
      headerCluster({ fixed: { refcountTableOffset: 520 } }),
      "corrupt",
      "no multiple of",
      48,
    ],
    ["65,536 snapshots", headerCluster({ fixed: { snapshotCount: 65_536 } }), "unsupported", "more than 65535", 60],
    [
      "a crooked snapshot table",
      headerCluster({ fixed: { snapshotCount: 1, snapshotsOffset: 8 } }),
      "corrupt",
      "no multiple of",
      64,
    ],
    ["refcount order 7", headerCluster({ features: { refcountOrder: 7 } }), "corrupt", "7 is more than 6", 96],
    ["a header of 96 bytes", headerCluster({ features: { headerLength: 96 } }), "corrupt", "header_length", 100],
    ["a header of 108 bytes", headerCluster({ features: { headerLength: 108 } }), "corrupt", "header_length", 100],
    [
      "a header over its cluster",
      headerCluster({ features: { headerLength: 65_544 } }),
      "corrupt",
      "header_length",
      100,
    ],
    ["a header of 4 GiB", headerCluster({ features: { headerLength: 2 ** 32 - 8 } }), "corrupt", "header_length", 100],
    [
      "unknown incompatible bits, one with a name",
      headerCluster({
        features: { incompatibleFeatures: flagsOf(5, 63) },
        extensions: encodeHeaderExtensions([
          { type: 0x6803f857, data: encodeFeatureNames([{ kind: "incompatible", bit: 63, name: "half converted" }]) },
        ]),
      }),
      "unsupported",
      "unknown bit 5, bit 63 (half converted)",
      72,
    ],
    [
      "the compression bit without its field",
      headerCluster({ features: { incompatibleFeatures: flagsOf(3), headerLength: 104 } }),
      "corrupt",
      "no such field",
      72,
    ],
    [
      "the compression bit with type 0",
      headerCluster({ features: { incompatibleFeatures: flagsOf(3) } }),
      "corrupt",
      "contradicts",
      104,
    ],
    ["a compression type without its bit", headerCluster({ compressionType: 1 }), "corrupt", "contradicts", 104],
    [
      "compression type 2",
      headerCluster({ features: { incompatibleFeatures: flagsOf(3) }, compressionType: 2 }),
      "unsupported",
      "type 2 is not known",
      104,
    ],
    [
      "a backing name of 1,024 bytes",
      headerCluster({ fixed: { backingFileOffset: 512, backingFileSize: 1024 } }),
      "corrupt",
      "at most 1023",
      16,
    ],
    [
      "a backing name over the end of the first cluster",
      headerCluster({ fixed: { backingFileOffset: 65_530, backingFileSize: 7 } }),
      "corrupt",
      "outside the first cluster",
      8,
    ],
    [
      "a backing name in the second cluster",
      headerCluster({ fixed: { backingFileOffset: 65_536, backingFileSize: 1 } }),
      "corrupt",
      "outside the first cluster",
      8,
    ],
    [
      "a backing name inside the header",
      headerCluster({ fixed: { backingFileOffset: 80, backingFileSize: 1 } }),
      "corrupt",
      "inside the header",
      8,
    ],
  ])("with %s is refused", (_, cluster, kind, message, hostOffset) => {
    const refusal = refusalOf(cluster);
    expect(refusal.kind).toBe(kind);
    expect(refusal.message).toContain(message);
    expect(refusal.message).not.toMatch(/\.$/);
    if (hostOffset >= 0) expect(refusal).toMatchObject({ hostOffset, format: "qcow2", path: "disk.qcow2" });
  });

  it("that is none is not this format, and one that is cut short ends outside the file", () => {
    expect(refusalOf(new Uint8Array(512)).kind).toBe("not-this-format");
    expect(refusalOf(new Uint8Array(0)).kind).toBe("not-this-format");
    expect(refusalOf(headerCluster().slice(0, 71)).kind).toBe("out-of-bounds");
    expect(refusalOf(headerCluster().slice(0, 103)).kind).toBe("out-of-bounds");
  });
});
