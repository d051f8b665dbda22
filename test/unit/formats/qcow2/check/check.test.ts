import { describe, expect, it } from "vitest";
import { qcow2Driver } from "../../../../../src/formats/qcow2/driver.ts";
import type { CheckResult } from "../../../../../src/image/finding.ts";
import { checkOf } from "../../../../../src/image/source.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "../../../../formats/qcow2/bytes.ts";
import { openWith } from "../../../../support/open-with.ts";

async function check(image: Qcow2Bytes): Promise<CheckResult> {
  return checkOf(await openWith(qcow2Driver, memoryStorage(image.bytes)));
}

/** Severity, kind and cluster of each finding. */
function told({ findings }: CheckResult): string[] {
  return findings.map(({ severity, kind, structure }) => `${severity}: ${kind}, ${structure}`);
}

const [first, second] = [HostCluster.data, HostCluster.data + 1];

describe("a sound image", () => {
  it.each<[string, Qcow2Shape]>([
    ["version 2", { version: 2 }],
    ["version 3", {}],
    ["512-byte clusters", { clusterBits: 9, dataClusters: 3 }],
    ["subclusters", { clusterBits: 14, hasSubclusters: true }],
    ...[0, 1, 2, 3, 4, 5, 6].map((order): [string, Qcow2Shape] => [
      `${2 ** order}-bit refcounts`,
      { refcountOrder: order, dataClusters: 12 },
    ]),
  ])("of %s has no findings", async (_, shape) => {
    const image = new Qcow2Bytes({ spareClusters: 12, ...shape });
    expect(await check(image)).toEqual({
      corruptions: 0,
      leaks: 0,
      checkErrors: 0,
      warnings: 0,
      imageEndOffset: image.hostOffset(HostCluster.data + image.dataClusters),
      totalClusters: 16,
      allocatedClusters: image.dataClusters,
      fragmentedClusters: 0,
      compressedClusters: 0,
      findings: [],
    });
  });
});

describe("refcounts", () => {
  it.each([0, 1, 2, 3, 4, 5, 6])("of order %i are compared", async (refcountOrder) => {
    const image = new Qcow2Bytes({ refcountOrder, spareClusters: 1 });
    image.setRefcount(first, 0).setRefcount(first + 4, 1);
    const result = await check(image);
    expect([result.corruptions, result.leaks]).toEqual([2, 1]);
    expect(told(result)).toEqual([
      "corruption: refcount-mismatch, cluster 5",
      "leak: leaked-cluster, cluster 9",
      "corruption: copied-flag-mismatch, L2 table 0",
    ]);
    expect(result.findings[0]).toMatchObject({ hostOffset: 5 * 4096, refcount: 0, references: 1 });
  });

  it("past what their width can count are corruption", async () => {
    const image = new Qcow2Bytes({ refcountOrder: 0 });
    image.set64(image.l2Entry(1), image.get64(image.l2Entry(0)));
    expect(told(await check(image))).toContain("corruption: refcount-overflow, cluster 5");
  });

  it.each([1, 2, 3, 4, 5, 6])("of order %i are read in their whole width", async (refcountOrder) => {
    const image = new Qcow2Bytes({ refcountOrder });
    image.setRefcount(first, 3);
    const { findings } = await check(image);
    expect(findings[0]).toMatchObject({ kind: "leaked-cluster", refcount: 3, references: 1 });
  });

  it("of more than 2^53 differ from every count", async () => {
    const image = new Qcow2Bytes({ refcountOrder: 6 });
    image.set64(image.hostOffset(HostCluster.refcountBlock) + first * 8, (1n << 63n) | 1n);
    expect((await check(image)).leaks).toBe(1);
  });

  it.each<[string, (image: Qcow2Bytes) => unknown, string]>([
    ["without a block", (i) => i.set64(i.hostOffset(1), 0n), "corruption: refcount-mismatch, cluster 0"],
    [
      "in a block outside the file",
      (i) => i.set64(i.hostOffset(1), 0x100000n),
      "corruption: entry-out-of-bounds, refcount table",
    ],
    ["in an unaligned block", (i) => i.set64(i.hostOffset(1), 0x2200n), "error: refcount-unreadable, refcount block 0"],
    [
      "in a block beyond any file",
      (i) => i.set64(i.hostOffset(1), 1n << 63n),
      "error: refcount-unreadable, refcount block 0",
    ],
    [
      "in a block listed twice",
      (i) => i.set64(i.hostOffset(1) + 8, 0x2000n),
      "corruption: refcount-block-shared, refcount table",
    ],
    [
      "in a block with reserved bits",
      (i) => i.set64(i.hostOffset(1), 0x2001n),
      "corruption: reserved-bits, refcount table",
    ],
    ["in a table outside the file", (i) => i.set64(48, 0x100000n), "corruption: entry-out-of-bounds, refcount table"],
  ])("%s are reported", async (_, damage, expected) => {
    const image = new Qcow2Bytes();
    damage(image);
    expect(told(await check(image))).toContain(expected);
  });

  it("are not compared endlessly where a million entries list one block", async () => {
    const image = new Qcow2Bytes({ clusterBits: 21, dataClusters: 0 });
    for (let index = 0; index < 2 ** 18; index++)
      image.set64(image.hostOffset(1) + index * 8, BigInt(image.hostOffset(2)));
    const { checkErrors } = await check(image);
    expect(checkErrors).toBe(1);
  });
});

describe("what shares a cluster is a warning even where the refcount agrees", () => {
  it.each<[string, (image: Qcow2Bytes) => number, Qcow2Shape?]>([
    [
      "two guest clusters",
      (i) => {
        i.set64(i.l2Entry(0), BigInt(i.hostOffset(second))).set64(i.l2Entry(1), BigInt(i.hostOffset(second)));
        i.setRefcount(first, 0);
        return second;
      },
    ],
    ...(["header", "refcountTable", "refcountBlock", "l1", "l2"] as const).map(
      (name): [string, (image: Qcow2Bytes) => number] => [
        `data and ${name}`,
        (i) => {
          const cluster = HostCluster[name];
          // Offset 0 is no place, so the header is reached by a compressed cluster.
          i.set64(i.l2Entry(0), name === "header" ? COMPRESSED | 0x100n : BigInt(i.hostOffset(cluster)));
          if (name === "l2") i.set64(i.l1Entry(0), BigInt(i.hostOffset(HostCluster.l2)));
          i.setRefcount(first, 0);
          return cluster;
        },
      ],
    ),
    [
      "plain and compressed data",
      (i) => {
        i.set64(i.l2Entry(0), COMPRESSED | BigInt(i.hostOffset(second) + 5)).set64(
          i.l2Entry(1),
          BigInt(i.hostOffset(second)),
        );
        i.setRefcount(first, 0);
        return second;
      },
    ],
    [
      "two parts of L1",
      (i) => {
        i.set64(i.l1Entry(0), BigInt(i.hostOffset(HostCluster.l2))).set64(
          i.l1Entry(1),
          BigInt(i.hostOffset(HostCluster.l2)),
        );
        for (let index = 0; index < 4; index++) i.set64(i.l2Entry(index), 0n).setRefcount(first + index, 0);
        return HostCluster.l2;
      },
      { virtualSize: 2 ** 22 },
    ],
  ])("%s", async (_, share, shape = {}) => {
    const image = new Qcow2Bytes(shape);
    const cluster = share(image);
    image.setRefcount(cluster, 2);
    const result = await check(image);
    const said = result.findings.filter(({ kind }) => kind === "overlap" || kind === "refcount-block-shared");
    expect(said.length).toBeGreaterThan(0);
    expect(result.warnings).toBe(said.filter(({ severity }) => severity === "warning").length);
  });

  it("but compressed clusters may", async () => {
    const image = new Qcow2Bytes();
    const place = BigInt(image.hostOffset(first));
    image.set64(image.l2Entry(0), COMPRESSED | place).set64(image.l2Entry(1), COMPRESSED | (place + 700n));
    image.setRefcount(first, 2).setRefcount(second, 0);
    expect(await check(image)).toMatchObject({ corruptions: 0, leaks: 0, compressedClusters: 2, allocatedClusters: 4 });
    expect((await check(image)).fragmentedClusters).toBe(2);
  });
});

describe("clusters", () => {
  it("are fragmented where the next one lies elsewhere, holes in the guest apart", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.l2Entry(5), image.get64(image.l2Entry(2))).set64(image.l2Entry(2), 0n);
    image.set64(image.l2Entry(6), image.get64(image.l2Entry(3))).set64(image.l2Entry(3), 0n);
    expect(await check(image)).toMatchObject({ corruptions: 0, allocatedClusters: 4, fragmentedClusters: 0 });
    const [one, other] = [image.get64(image.l2Entry(5)), image.get64(image.l2Entry(6))];
    image.set64(image.l2Entry(5), other).set64(image.l2Entry(6), one);
    expect(await check(image)).toMatchObject({ corruptions: 0, allocatedClusters: 4, fragmentedClusters: 2 });
  });

  it("of a refcount block listed twice are reported once, where the refcount agrees", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.hostOffset(1) + 8, BigInt(image.hostOffset(2))).setRefcount(2, 2);
    expect(told(await check(image))).toEqual(["corruption: refcount-block-shared, refcount table"]);
  });

  it("of an L2 table listed twice are referenced twice", async () => {
    const image = new Qcow2Bytes({ virtualSize: 2 ** 22 });
    image.set64(image.l1Entry(1), image.get64(image.l1Entry(0)));
    const result = await check(image);
    expect(result.allocatedClusters).toBe(8);
    const clusters = [4, 5, 6, 7, 8];
    expect(told(result)).toEqual([
      ...clusters.map((cluster) => `corruption: refcount-mismatch, cluster ${cluster}`),
      ...clusters.map((cluster) => `warning: overlap, cluster ${cluster}`),
    ]);
  });
});

describe("COPIED flags", () => {
  it("that are clear where the refcount is one, or set where it is not, are corruption", async () => {
    const image = new Qcow2Bytes();
    image.set64(image.l2Entry(0), BigInt(image.hostOffset(first)));
    image.set64(image.l1Entry(0), BigInt(image.hostOffset(HostCluster.l2)));
    const result = await check(image);
    expect(result.findings.map(({ line }) => line)).toEqual([
      "ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=4000 refcount=1",
      "ERROR OFLAG_COPIED data cluster: l2_entry=5000 refcount=1",
    ]);
    expect(result.findings.map(({ guestOffset }) => guestOffset)).toEqual([undefined, 0]);
  });
});

describe("the file's end", () => {
  it("may cut the last cluster short, but not off", async () => {
    const image = new Qcow2Bytes();
    const length = image.bytes.length;
    const cut = async (size: number) => {
      const opened = await openWith(qcow2Driver, memoryStorage(image.bytes.subarray(0, size)));
      return (await checkOf(opened)).corruptions;
    };
    expect(await cut(length - 4095)).toBe(0);
    // Out of bounds; that it is flagged COPIED agrees with the refcount, which is there though the cluster is not.
    expect(await cut(length - 4096)).toBe(1);
  });
});

it("compares the cluster past the end that compressed data reaches into", async () => {
  const image = new Qcow2Bytes();
  image.set64(image.l2Entry(0), COMPRESSED | (3n << 58n) | BigInt(image.bytes.length - 512)).setRefcount(first, 0);
  const result = await check(image);
  expect(told(result)).toContain("corruption: refcount-mismatch, cluster 9");
  expect(result.imageEndOffset).toBe(image.bytes.length + 4096);
});

/** An image with snapshots whose tables lie in the spare clusters: entry table, then L1, then L2 for each. */
function withSnapshot(damage: (image: Qcow2Bytes, at: { table: number; l1: number; l2: number }) => void = () => {}) {
  const image = new Qcow2Bytes({ spareClusters: 3 });
  const at = { table: image.hostOffset(9), l1: image.hostOffset(10), l2: image.hostOffset(11) };
  for (const cluster of [9, 10, 11]) image.setRefcount(cluster, 1);
  image.set32(60, 1).set64(64, BigInt(at.table));
  image
    .set64(at.table, BigInt(at.l1))
    .set32(at.table + 8, 1)
    .set32(at.table + 36, 16);
  image.bytes.writeUInt16BE(1, at.table + 12);
  image.bytes.writeUInt16BE(3, at.table + 14);
  image.bytes.write("1one", at.table + 56);
  image.set64(at.l1, BigInt(at.l2));
  image.set64(at.l2, BigInt(image.hostOffset(first)));
  image.set64(image.l2Entry(0), BigInt(image.hostOffset(first))).setRefcount(first, 2);
  damage(image, at);
  return image;
}

describe("snapshots", () => {
  it("share clusters with the active tables", async () => {
    const image = withSnapshot();
    expect(told(await check(image))).toEqual([]);
    const opened = await openWith(qcow2Driver, memoryStorage(image.bytes));
    const ranges = await opened.getMetadataRanges();
    expect([...ranges.each()]).toEqual([
      { start: 0, end: 5 * 4096 },
      { start: 9 * 4096, end: 12 * 4096 },
    ]);
    expect(opened.getConversionOptions().snapshotCount).toBe(1);
  });

  it.each<[string, Parameters<typeof withSnapshot>[0], string]>([
    [
      "an unaligned L1",
      (i, at) => i.set64(at.table, BigInt(at.l1 + 512)),
      "corruption: entry-unaligned, snapshot 1 (one)",
    ],
    ["a huge L1", (i, at) => i.set32(at.table + 8, 2 ** 23), "corruption: table-too-large, snapshot 1 (one)"],
    [
      "an L1 outside the file",
      (i, at) => i.set64(at.table, 1n << 62n),
      "corruption: entry-out-of-bounds, L1 table of snapshot 1 (one)",
    ],
    [
      "too little extra data",
      (i, at) => i.set32(at.table + 36, 0),
      "corruption: snapshot-incomplete, snapshot \0 (\0\0\0)",
    ],
    ["too much extra data", (i, at) => i.set32(at.table + 36, 1025), "error: unreadable, snapshot table"],
    ["a table outside the file", (i) => i.set64(64, 0x100000n), "corruption: entry-out-of-bounds, snapshot table"],
    ["an L2 outside the file", (i, at) => i.set64(at.l1, 0x100000n), "corruption: entry-out-of-bounds, L2 table 0"],
    ["reserved bits", (i, at) => i.set64(at.l2, 4n), "corruption: reserved-bits, snapshot L2 table at 0xb000"],
    [
      "the active L1 as its own",
      (i, at) => i.set64(at.table, BigInt(i.hostOffset(3))),
      "corruption: refcount-mismatch, cluster 3",
    ],
  ])("with %s are reported", async (_, damage, expected) => {
    expect(told(await check(withSnapshot(damage)))).toContain(expected);
  });

  it("follow each other at multiples of eight bytes", async () => {
    const image = withSnapshot((i, at) => {
      i.set32(60, 2).set32(at.table + 64 + 36, 16);
      i.bytes.writeUInt16BE(1, at.table + 64 + 12);
      i.bytes.write("2", at.table + 64 + 56);
    });
    expect(told(await check(image))).toEqual([]);
  });

  it("that can't be read leave no false leaks behind", async () => {
    const result = await check(withSnapshot((image, at) => image.set32(at.table + 36, 1025)));
    expect([result.corruptions, result.leaks, result.checkErrors]).toEqual([0, 0, 1]);
  });

  it("by the ten thousand over one L1 do not hang", async () => {
    const image = withSnapshot();
    image.set32(60, 65_535).set64(64, 1n << 40n);
    expect((await check(image)).corruptions).toBeGreaterThan(0);
  });
});

describe("the encryption header", () => {
  it("is counted", async () => {
    const image = new Qcow2Bytes({ spareClusters: 2 });
    image
      .set32(32, 2)
      .set32(112, 0x0537be77)
      .set32(116, 16)
      .set64(120, BigInt(image.hostOffset(9)))
      .set64(128, 5000n);
    image.setRefcount(9, 1).setRefcount(10, 1);
    expect(told(await check(image))).toEqual([]);
    image.setRefcount(10, 0);
    expect((await check(image)).corruptions).toBe(1);
  });
});

/** An image with one bitmap: directory, table and one cluster in the spare clusters. */
function withBitmap(
  damage: (image: Qcow2Bytes, at: { extension: number; directory: number; table: number }) => void = () => {},
) {
  const image = new Qcow2Bytes({ spareClusters: 3 });
  const at = { extension: 120, directory: image.hostOffset(9), table: image.hostOffset(10) };
  for (const cluster of [9, 10, 11]) image.setRefcount(cluster, 1);
  image.set32(92, 1).set32(112, 0x23852875).set32(116, 24);
  image
    .set32(at.extension, 1)
    .set64(at.extension + 8, 32n)
    .set64(at.extension + 16, BigInt(at.directory));
  image
    .set64(at.directory, BigInt(at.table))
    .set32(at.directory + 8, 1)
    .set32(at.directory + 12, 2);
  image.bytes.set([1, 16, 0, 4], at.directory + 16);
  image.bytes.write("bits", at.directory + 24);
  image.set64(at.table, BigInt(image.hostOffset(11)));
  damage(image, at);
  return image;
}

describe("bitmaps", () => {
  it("are named and counted", async () => {
    const image = withBitmap();
    expect(told(await check(image))).toEqual([]);
    const opened = await openWith(qcow2Driver, memoryStorage(image.bytes));
    expect(opened.getConversionOptions().bitmapNames).toEqual(["bits"]);
    const bitmaps = [{ flags: ["auto"], name: "bits", granularity: 65_536 }];
    expect(opened.getSpecificInfo()).toMatchObject({ formatSpecific: { data: { bitmaps } } });
  });

  it.each<[string, Parameters<typeof withBitmap>[0], string]>([
    ["a directory outside the file", (i, at) => i.set64(at.extension + 16, 0x100000n), "outside the file"],
    ["an unaligned directory", (i, at) => i.set64(at.extension + 16, 0x9200n), "no multiple"],
    ["a huge directory", (i, at) => i.set64(at.extension + 8, 1n << 40n), "more than"],
    ["fewer bitmaps than announced", (i, at) => i.set32(at.extension, 2), "the header says 2"],
    ["an entry cut short", (i, at) => i.set32(at.directory + 20, 4096), "cut short"],
    ["an unknown type", (i, at) => i.bytes.set([2], at.directory + 16), "type 2"],
    ["an unaligned table", (i, at) => i.set64(at.directory, BigInt(at.table + 512)), "no multiple"],
    ["reserved flags", (i, at) => i.set32(at.directory + 12, 8), "reserved flags"],
    ["extra data", (i, at) => i.set32(at.directory + 20, 8).set64(at.extension + 8, 40n), "extra data"],
    ["a table of no entries", (i, at) => i.set32(at.directory + 8, 0), "no entries"],
    ["a reserved field that is set", (i, at) => i.set32(at.extension + 4, 1), "reserved field"],
    ["a granularity out of range", (i, at) => i.bytes.set([40], at.directory + 17), "granularity_bits 40"],
    ["no name", (i, at) => i.bytes.writeUInt16BE(0, at.directory + 18), "a name of 0 bytes"],
  ])("with %s are refused", async (_, damage, message) => {
    await expect(openWith(qcow2Driver, memoryStorage(withBitmap(damage).bytes))).rejects.toThrow(
      expect.objectContaining({ kind: "corrupt", message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, Parameters<typeof withBitmap>[0], string]>([
    [
      "a table outside the file",
      (i, at) => i.set64(at.directory, 0x100000n),
      "corruption: entry-out-of-bounds, table of bitmap bits",
    ],
    [
      "a cluster outside the file",
      (i, at) => i.set64(at.table, 0x100000n),
      "corruption: entry-out-of-bounds, cluster of the table of bitmap bits",
    ],
    [
      "a cluster on data",
      (i, at) => i.set64(at.table, BigInt(i.hostOffset(first))),
      "corruption: refcount-mismatch, cluster 5",
    ],
    [
      "reserved bits",
      (i, at) => i.set64(at.table, BigInt(i.hostOffset(11)) | 4n),
      "error: unreadable, table of bitmap bits",
    ],
  ])("with %s are reported", async (_, damage, expected) => {
    expect(told(await check(withBitmap(damage)))).toContain(expected);
  });
});

it("counts all findings, but keeps a thousand", async () => {
  const image = new Qcow2Bytes({ clusterBits: 16, virtualSize: 2 ** 29 });
  for (let index = 0; index < 8192; index++) image.set64(image.l2Entry(index), COPIED | 0x4000_0000n);
  const result = await check(image);
  expect(result.corruptions).toBe(2 * 8192);
  expect(result.findings).toHaveLength(1000);
});
