/** The words for each finding, without qemu-img at hand: what it printed for these images when the test was written. */

import { expect, it } from "vitest";
import { qcow2Driver } from "../../../../src/formats/qcow2/driver.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "../../../formats/qcow2/bytes.ts";
import { openWith } from "../../../support/open-with.ts";

const RESERVED = 1n << 60n;

it.each<[string, Qcow2Shape, (image: Qcow2Bytes) => unknown, readonly string[]]>([
  [
    "reserved bits in L1",
    {},
    (i) => i.set64(i.l1Entry(0), i.get64(i.l1Entry(0)) | RESERVED),
    ["ERROR found L1 entry with reserved bits set: 9000000000004000"],
  ],
  [
    "an L1 entry askew and outside",
    {},
    (i) => i.set64(i.l1Entry(0), 0x10000200n),
    [
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x10000200 size 0x1000",
      "ERROR l2_offset=10000200: Table is not cluster aligned; L1 entry corrupted",
      "Leaked cluster 4 refcount=1 reference=0",
      "Leaked cluster 5 refcount=1 reference=0",
      "Leaked cluster 6 refcount=1 reference=0",
      "Leaked cluster 7 refcount=1 reference=0",
      "Leaked cluster 8 refcount=1 reference=0",
    ],
  ],
  [
    "an L2 table without COPIED",
    {},
    (i) => i.set64(i.l1Entry(0), i.get64(i.l1Entry(0)) & ~COPIED),
    ["ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=4000 refcount=1"],
  ],
  [
    "reserved bits in L2",
    {},
    (i) => i.set64(i.l2Entry(1), i.get64(i.l2Entry(1)) | RESERVED | 2n),
    ["ERROR found l2 entry with reserved bits set: 9000000000006002"],
  ],
  [
    "data askew",
    {},
    (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 0x200n),
    [
      "ERROR offset=5200: Data cluster is not properly aligned; L2 entry corrupted.",
      "ERROR cluster 6 refcount=1 reference=2",
    ],
  ],
  [
    "zeros askew",
    {},
    (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 0x201n),
    [
      "ERROR offset=5200: Preallocated cluster is not properly aligned; L2 entry corrupted.",
      "ERROR cluster 6 refcount=1 reference=2",
    ],
  ],
  [
    "two clusters outside, one after the other",
    {},
    (i) => i.set64(i.l2Entry(0), COPIED | 0x100000n).set64(i.l2Entry(1), COPIED | 0x101000n),
    [
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x100000 size 0x1000",
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x101000 size 0x1000",
      "Leaked cluster 5 refcount=1 reference=0",
      "Leaked cluster 6 refcount=1 reference=0",
      "ERROR OFLAG_COPIED data cluster: l2_entry=8000000000100000 refcount=0",
      "ERROR OFLAG_COPIED data cluster: l2_entry=8000000000101000 refcount=0",
    ],
  ],
  [
    "a refcount for what lies outside",
    {},
    (i) => i.set64(i.l2Entry(0), COPIED | 0x100000n).setRefcount(256, 1),
    [
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x100000 size 0x1000",
      "Leaked cluster 5 refcount=1 reference=0",
    ],
  ],
  [
    "a compressed cluster with COPIED, far outside",
    {},
    (i) => i.set64(i.l2Entry(0), COPIED | COMPRESSED | 0x2ff_ffff_ffff_ff55n),
    [
      "ERROR: coffset=0x2ffffffffffff55: copied flag must never be set for compressed clusters",
      "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x2ffffffffffff55 size 0xab",
      "Leaked cluster 5 refcount=1 reference=0",
    ],
  ],
  [
    "too many references for one bit",
    { refcountOrder: 0 },
    (i) => i.set64(i.l2Entry(1), i.get64(i.l2Entry(0))).set64(i.l2Entry(2), i.get64(i.l2Entry(0))),
    [
      "ERROR: overflow cluster offset=0x5000",
      "Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a clean copy if the image cannot be opened for writing",
      "ERROR: overflow cluster offset=0x5000",
      "Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a clean copy if the image cannot be opened for writing",
      "Leaked cluster 6 refcount=1 reference=0",
      "Leaked cluster 7 refcount=1 reference=0",
    ],
  ],
  [
    "a refcount beyond 2^53",
    { refcountOrder: 6 },
    (i) => i.set64(i.hostOffset(HostCluster.refcountBlock) + 40, (1n << 63n) | 1n),
    [
      "Leaked cluster 5 refcount=9223372036854775809 reference=1",
      "ERROR OFLAG_COPIED data cluster: l2_entry=8000000000005000 refcount=9223372036854775809",
    ],
  ],
  [
    "a refcount block askew",
    { dataClusters: 1 },
    (i) => i.set64(i.hostOffset(1), 0x2200n),
    [
      "ERROR refcount block 0 is not cluster aligned; refcount table entry corrupted",
      "qcow2: Image is corrupt: Refblock offset 0x2200 unaligned (reftable index: 0); further non-fatal corruption events will be suppressed",
      "Can't get refcount for cluster 0: Input/output error",
      "Can't get refcount for cluster 1: Input/output error",
      "Can't get refcount for cluster 2: Input/output error",
      "Can't get refcount for cluster 3: Input/output error",
      "Can't get refcount for cluster 4: Input/output error",
      "Can't get refcount for cluster 5: Input/output error",
    ],
  ],
  [
    "a refcount block beyond any file",
    { dataClusters: 1 },
    (i) => i.set64(i.hostOffset(1), 1n << 63n),
    [
      "ERROR refcount block 0 is outside image",
      "Can't get refcount for cluster 0: Input/output error",
      "Can't get refcount for cluster 1: Input/output error",
      "Can't get refcount for cluster 2: Input/output error",
      "Can't get refcount for cluster 3: Input/output error",
      "Can't get refcount for cluster 4: Input/output error",
      "Can't get refcount for cluster 5: Input/output error",
    ],
  ],
  [
    "a refcount block outside",
    { dataClusters: 1 },
    (i) => i.set64(i.hostOffset(1), 0x100000n),
    [
      "ERROR refcount block 0 is outside image",
      "ERROR cluster 0 refcount=0 reference=1",
      "ERROR cluster 1 refcount=0 reference=1",
      "ERROR cluster 3 refcount=0 reference=1",
      "ERROR cluster 4 refcount=0 reference=1",
      "ERROR cluster 5 refcount=0 reference=1",
      "ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=8000000000004000 refcount=0",
      "ERROR OFLAG_COPIED data cluster: l2_entry=8000000000005000 refcount=0",
    ],
  ],
  [
    "a refcount block with reserved bits",
    {},
    (i) => i.set64(i.hostOffset(1), 0x2001n),
    ["ERROR refcount table entry 0 has reserved bits set", "Leaked cluster 2 refcount=1 reference=0"],
  ],
  [
    "a refcount block listed twice",
    {},
    (i) => i.set64(i.hostOffset(1) + 8, 0x2000n),
    ["ERROR refcount block 1 refcount=2", "ERROR cluster 2 refcount=1 reference=2"],
  ],
  [
    "an L2 table listed twice",
    { virtualSize: 2 ** 22, dataClusters: 1 },
    (i) => i.set64(i.l1Entry(1), i.get64(i.l1Entry(0))),
    ["ERROR cluster 4 refcount=1 reference=2", "ERROR cluster 5 refcount=1 reference=2"],
  ],
  [
    "subclusters without a cluster",
    { clusterBits: 14, hasSubclusters: true },
    (i) => i.set64(i.l2Entry(9) + 8, 1n),
    ["ERROR: Unallocated cluster has non-zero subcluster allocation map"],
  ],
  [
    "subclusters allocated and zero, askew",
    { clusterBits: 14, hasSubclusters: true },
    (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 0x200n).set64(i.l2Entry(0) + 8, (1n << 32n) | 1n),
    [
      "ERROR offset=14200: Allocated cluster has corrupted subcluster allocation bitmap",
      "ERROR offset=14200: Data cluster is not properly aligned; L2 entry corrupted.",
      "ERROR cluster 6 refcount=1 reference=2",
    ],
  ],
  [
    "zero subclusters askew",
    { clusterBits: 14, hasSubclusters: true },
    (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 0x200n).set64(i.l2Entry(0) + 8, 1n << 32n),
    [
      "ERROR offset=14200: Preallocated cluster is not properly aligned; L2 entry corrupted.",
      "ERROR cluster 6 refcount=1 reference=2",
    ],
  ],
  [
    "a compressed cluster with subclusters",
    { clusterBits: 14, hasSubclusters: true },
    (i) => i.set64(i.l2Entry(1), COPIED | COMPRESSED | 0x14000n),
    [
      "ERROR: coffset=0x14000: copied flag must never be set for compressed clusters",
      "ERROR compressed cluster 1 with non-zero subcluster allocation bitmap, entry=0x4000000000014000",
      "Leaked cluster 6 refcount=1 reference=0",
    ],
  ],
  [
    "a snapshot without what version 3 demands",
    { spareClusters: 1 },
    (i) =>
      i
        .set32(60, 1)
        .set64(64, BigInt(i.hostOffset(9)))
        .setRefcount(9, 1),
    ["ERROR snapshot table entry 0 is incomplete"],
  ],
  [
    "a snapshot's L1 askew",
    { spareClusters: 1 },
    (i) =>
      i
        .set32(60, 1)
        .set64(64, BigInt(i.hostOffset(9)))
        .setRefcount(9, 1)
        .set32(i.hostOffset(9) + 36, 16)
        .set64(i.hostOffset(9), (1n << 63n) | 0x200n),
    [
      "ERROR snapshot  () l1_offset=0x8000000000000200: L1 table is not cluster aligned; snapshot table entry corrupted",
    ],
  ],
  [
    "a snapshot's L1 that is too large",
    { spareClusters: 1 },
    (i) =>
      i
        .set32(60, 1)
        .set64(64, BigInt(i.hostOffset(9)))
        .setRefcount(9, 1)
        .set32(i.hostOffset(9) + 36, 16)
        .set64(i.hostOffset(9), 0x3000n)
        .set32(i.hostOffset(9) + 8, 0x400001),
    ["ERROR snapshot  () l1_size=0x400001: L1 table is too large; snapshot table entry corrupted"],
  ],
])("%s", async (_, shape, damage, expected) => {
  const image = new Qcow2Bytes(shape);
  damage(image);
  const lines: string[] = [];
  const opened = await openWith(qcow2Driver, memoryStorage(image.bytes));
  await checkOf(opened, ({ severity, line }) => {
    if (severity !== "warning") lines.push(...(line ?? "").split("\n"));
  });
  expect(lines).toEqual(expected);
});

async function told(image: Qcow2Bytes): Promise<string[]> {
  const lines: string[] = [];
  await checkOf(await openWith(qcow2Driver, memoryStorage(image.bytes)), ({ line }) => lines.push(line ?? ""));
  return lines;
}

it("warnings come last, in words of ours", async () => {
  const image = new Qcow2Bytes({ version: 2 });
  image.set64(image.l2Entry(0), image.get64(image.l2Entry(1)) | 1n);
  expect(await told(image)).toEqual([
    "Leaked cluster 5 refcount=1 reference=0",
    "ERROR cluster 6 refcount=1 reference=2",
    "WARNING entry 0 of L2 table 0 is a zero cluster in a version 2 image",
    "WARNING cluster 6 is the data of several guest ranges",
  ]);
});

it("marks are warnings", async () => {
  const image = new Qcow2Bytes();
  image.set64(72, 3n);
  expect(await told(image)).toEqual([
    "WARNING the image is marked dirty: its refcounts may be stale",
    "WARNING the image is marked corrupt: nothing writes to it before it is repaired",
  ]);
  const { warnings, corruptions } = await checkOf(await openWith(qcow2Driver, memoryStorage(image.bytes)));
  expect([warnings, corruptions]).toEqual([2, 0]);
});

it("a name does not begin a line of its own", async () => {
  const image = new Qcow2Bytes({ spareClusters: 1 });
  const table = image.hostOffset(9);
  image.set32(60, 1).set64(64, BigInt(table)).setRefcount(9, 1);
  image.set64(table, 0x200n).set32(table + 36, 16);
  image.bytes.writeUInt16BE(1, table + 12);
  image.bytes.writeUInt16BE(5, table + 14);
  image.bytes.write("1a\nb\0c", table + 56);
  expect(await told(image)).toEqual([
    "ERROR snapshot 1 (a\\nb) l1_offset=0x200: L1 table is not cluster aligned; snapshot table entry corrupted",
  ]);
});

it("everyone who listens hears every finding, each time", async () => {
  const image = new Qcow2Bytes({ clusterBits: 16, virtualSize: 2 ** 29 });
  for (let index = 0; index < 2000; index++) image.set64(image.l2Entry(index), 0x4000_0000n);
  const opened = await openWith(qcow2Driver, memoryStorage(image.bytes));
  for (const turn of [1, 2]) {
    let count = 0;
    const { findings } = await checkOf(opened, () => count++);
    expect([turn, count, findings.length]).toEqual([turn, 2004, 1000]);
  }
});

it("each cluster outside has the guest offset of its own entry", async () => {
  const image = new Qcow2Bytes();
  image.set64(image.l2Entry(2), 0x100000n).set64(image.l2Entry(3), 0x101000n);
  const { findings } = await checkOf(await openWith(qcow2Driver, memoryStorage(image.bytes)));
  const outside = findings.filter(({ kind }) => kind === "entry-out-of-bounds");
  expect(outside.map(({ guestOffset, hostOffset }) => [guestOffset, hostOffset])).toEqual([
    [0x2000, 0x100000],
    [0x3000, 0x101000],
  ]);
});

it("clusters are told ascending where a refcount block is missing before one that is there", async () => {
  const image = new Qcow2Bytes({ clusterBits: 9, refcountOrder: 6, dataClusters: 58, spareClusters: 3 });
  const table = image.hostOffset(HostCluster.refcountTable);
  image.set64(table, 0n).set64(table + 8, BigInt(image.hostOffset(64)));
  image.set64(image.hostOffset(64), 1n).set64(image.hostOffset(64) + 8, 1n);
  const clusters = (await told(image)).map((line) => Number(/cluster (\d+) /.exec(line)?.[1]));
  // The old block is referenced no more; 65 leaks.
  const expected = [0, 1, ...Array.from({ length: 60 }, (_, at) => at + 3), 65];
  expect(clusters.slice(0, expected.length)).toEqual(expected);
});

it("a place past what the refcount table covers has refcount 0", async () => {
  const image = new Qcow2Bytes();
  image.set64(image.l2Entry(0), COPIED | 0x10000000n);
  expect((await told(image)).at(-1)).toBe("ERROR OFLAG_COPIED data cluster: l2_entry=8000000010000000 refcount=0");
});

it("flags in a table whose own refcount can't be read are passed over", async () => {
  const image = new Qcow2Bytes({ clusterBits: 9, refcountOrder: 6, spareClusters: 56 });
  image.bytes.copy(image.bytes, image.hostOffset(64), image.hostOffset(4), image.hostOffset(5));
  image.set64(image.hostOffset(64), image.get64(image.hostOffset(64)) & ~COPIED);
  image.set64(image.l1Entry(0), COPIED | BigInt(image.hostOffset(64))).set64(image.hostOffset(1) + 8, 1n << 63n);
  expect(await told(image)).toEqual([
    "ERROR refcount block 1 is outside image",
    "Leaked cluster 4 refcount=1 reference=0",
    "Can't get refcount for cluster 64: Input/output error",
  ]);
});

it("the refcount of a table outside the file is that of the cluster in which it begins", async () => {
  const image = new Qcow2Bytes({ spareClusters: 1 });
  image.set64(image.l1Entry(0), BigInt(image.hostOffset(9) + 0x600)).setRefcount(9, 1);
  const lines: string[] = [];
  const opened = await openWith(qcow2Driver, memoryStorage(image.bytes.subarray(0, image.bytes.length - 0xc00)));
  await checkOf(opened, ({ line }) => lines.push(line ?? ""));
  expect(lines.slice(-2)).toEqual([
    "Leaked cluster 9 refcount=1 reference=0",
    "ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=9600 refcount=1",
  ]);
});

it("the snapshot table ends with its last entry, not where the next one would begin", async () => {
  const image = new Qcow2Bytes({ spareClusters: 1 });
  const table = image.hostOffset(64);
  image.set32(60, 2).set64(64, BigInt(table));
  expect((await told(image)).slice(0, 3)).toEqual([
    "ERROR snapshot table entry 0 is incomplete",
    "ERROR snapshot table entry 1 is incomplete",
    "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x40000 size 0x50",
  ]);
  image
    .set32(60, 1)
    .set64(64, BigInt(image.hostOffset(9)))
    .setRefcount(9, 1);
  image.bytes.writeUInt16BE(0x7fff, image.hostOffset(9) + 12);
  expect(await told(image)).toContain(
    "ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset 0x9000 size 0x8027",
  );
});

it("a raw data file needs a data file", async () => {
  const image = new Qcow2Bytes();
  image.set64(88, 2n);
  await expect(openWith(qcow2Driver, memoryStorage(image.bytes))).rejects.toThrow("there is no data file");
});
