import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { qcow2Driver } from "../../../../src/formats/qcow2/driver.ts";
import { type Extent, ExtentState, eachExtent, NOWHERE } from "../../../../src/image/extent.ts";
import { inflateCluster } from "../../../../src/image/guest/inflate.ts";
import type { Image } from "../../../../src/image/source.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "../../../formats/qcow2/bytes.ts";
import { openWith } from "../../../support/open-with.ts";

const open = (bytes: Uint8Array): Promise<Image> => openWith(qcow2Driver, memoryStorage(bytes));

async function extentsOf(image: Qcow2Bytes): Promise<Extent[]> {
  return [...eachExtent(await (await open(image.bytes)).getMapping())];
}

const corrupt = (message: string) =>
  expect.objectContaining({ kind: "corrupt", format: "qcow2", message: expect.stringContaining(message) });

/** An extent in clusters of 4 KiB. */
function extent(guest: number, length: number, state: ExtentState, host = -1, storedLength = 0): Extent {
  const hostOffset = host < 0 ? NOWHERE : host * 4096;
  return { guestOffset: guest * 4096, hostOffset, length: length * 4096, state, storedLength };
}

const { data, zero, unallocated, compressed } = ExtentState;

describe("getMapping", () => {
  it("merges contiguous clusters and names every state", async () => {
    const image = new Qcow2Bytes({ dataClusters: 6 });
    image.set64(image.l2Entry(3), 1n).set64(image.l2Entry(4), 0n);
    image.set64(image.l2Entry(5), image.get64(image.l2Entry(5)) | 1n);
    expect(await extentsOf(image)).toEqual([
      extent(0, 3, data, HostCluster.data),
      extent(3, 1, zero),
      extent(4, 1, unallocated),
      extent(5, 1, zero, HostCluster.data + 5),
      extent(6, 10, unallocated),
    ]);
  });

  it("parts clusters that are not contiguous in the file", async () => {
    const image = new Qcow2Bytes();
    const [first, second] = [image.get64(image.l2Entry(0)), image.get64(image.l2Entry(1))];
    image.set64(image.l2Entry(0), second).set64(image.l2Entry(1), first);
    expect((await extentsOf(image)).slice(0, 3)).toEqual([
      extent(0, 1, data, HostCluster.data + 1),
      extent(1, 1, data, HostCluster.data),
      extent(2, 2, data, HostCluster.data + 2),
    ]);
  });

  it("follows a run whose host offsets carry into the high half", async () => {
    // 2 MiB clusters whose places straddle 4 GiB; the file is as sparse as its storage pretends.
    const image = new Qcow2Bytes({ clusterBits: 21, dataClusters: 0, virtualSize: 8 * 2 ** 21 });
    const start = 2 ** 32 - 2 * 2 ** 21;
    for (let index = 0; index < 4; index++) {
      image.set64(image.l2Entry(index), COPIED | BigInt(start + index * 2 ** 21));
    }
    const storage = memoryStorage(image.bytes);
    const long = { ...storage, path: "long", read: storage.read.bind(storage), close: storage.close.bind(storage) };
    const opened = await openWith(qcow2Driver, { ...long, size: () => Promise.resolve(2 ** 33) });
    const [first] = eachExtent(await opened.getMapping());
    expect(first).toEqual({ guestOffset: 0, hostOffset: start, length: 4 * 2 ** 21, state: data, storedLength: 0 });
  });

  it("ends at the virtual size, inside a cluster too", async () => {
    const image = new Qcow2Bytes({ virtualSize: 3 * 4096 + 512 });
    expect(await extentsOf(image)).toEqual([
      { guestOffset: 0, hostOffset: 5 * 4096, length: 3 * 4096 + 512, state: data, storedLength: 0 },
    ]);
  });

  it("reads unallocated guest where L1 has no table", async () => {
    const image = new Qcow2Bytes({ virtualSize: 512 * 4096 * 3 });
    image.set64(image.l1Entry(2), image.get64(image.l1Entry(0))).set64(image.l1Entry(0), 0n);
    const extents = await extentsOf(image);
    expect(extents[0]).toEqual(extent(0, 1024, unallocated));
    expect(extents[1]).toEqual(extent(1024, 4, data, HostCluster.data));
  });

  it("gives a compressed cluster its bytes and sectors, and inflates it", async () => {
    const stored = deflateRawSync(Buffer.alloc(4096, 7));
    const image = new Qcow2Bytes();
    image.bytes.set(stored, 5 * 4096 + 100);
    image.set64(image.l2Entry(0), COMPRESSED | BigInt(5 * 4096 + 100)).set64(image.l2Entry(1), 0n);
    const [first] = await extentsOf(image);
    expect(first).toEqual({
      guestOffset: 0,
      hostOffset: 5 * 4096 + 100,
      length: 4096,
      state: compressed,
      storedLength: 412,
    });
    const content = inflateCluster("zlib", image.bytes.subarray(5 * 4096 + 100, 5 * 4096 + 512), 4096);
    expect(Buffer.alloc(4096, 7).equals(content)).toBe(true);
  });

  it("splits a cluster whose subclusters differ", async () => {
    const image = new Qcow2Bytes({ clusterBits: 14, hasSubclusters: true, dataClusters: 2 });
    image.set64(image.l2Entry(0) + 8, (0xffff_0000n << 32n) | 0x0000_00ffn);
    image.set64(image.l2Entry(2) + 8, 0x0000_0001n << 32n);
    const host = 5 * 16_384;
    const part = (guestOffset: number, hostOffset: number, length: number, state: ExtentState) => ({
      guestOffset,
      hostOffset,
      length,
      state,
      storedLength: 0,
    });
    expect((await extentsOf(image)).slice(0, 6)).toEqual([
      part(0, host, 8 * 512, data),
      part(8 * 512, NOWHERE, 8 * 512, unallocated),
      part(16 * 512, host + 16 * 512, 16 * 512, zero),
      part(32 * 512, host + 16_384, 16_384, data),
      part(64 * 512, NOWHERE, 512, zero),
      part(65 * 512, NOWHERE, 16 * 16_384 - 65 * 512, unallocated),
    ]);
  });

  it("lets the last cluster be cut short by the end of file", async () => {
    const image = new Qcow2Bytes();
    const opened = await open(image.bytes.subarray(0, image.bytes.length - 4000));
    const [first] = eachExtent(await opened.getMapping());
    expect(first).toEqual(extent(0, 4, data, HostCluster.data));
  });

  it.each<[string, (image: Qcow2Bytes) => unknown, string, Qcow2Shape?]>([
    ["an L2 table outside the file", (i) => i.set64(i.l1Entry(0), COPIED | 0x100000n), "outside the file"],
    ["an L2 table far beyond any file", (i) => i.set64(i.l1Entry(0), 0x00ff_ffff_ffff_f000n), "outside the file"],
    ["an L2 table at the end of the file", (i) => i.set64(i.l1Entry(0), BigInt(i.bytes.length)), "outside the file"],
    ["an unaligned L2 table", (i) => i.set64(i.l1Entry(0), i.get64(i.l1Entry(0)) | 0x200n), "no multiple"],
    ["reserved bits in L1", (i) => i.set64(i.l1Entry(0), i.get64(i.l1Entry(0)) | 2n), "reserved bits"],
    ["an L1 entry of flags alone", (i) => i.set64(i.l1Entry(1), COPIED), "no L2 table", { virtualSize: 2 ** 22 }],
    [
      "an L2 table listed twice",
      (i) => i.set64(i.l1Entry(1), i.get64(i.l1Entry(0))),
      "more than once",
      { virtualSize: 2 ** 22 },
    ],
    ["an L1 table outside the file", (i) => i.set64(40, 0x100000n), "outside the file"],
    ["data outside the file", (i) => i.set64(i.l2Entry(0), COPIED | 0x100000n), "outside the file"],
    ["data at the very end of the file", (i) => i.set64(i.l2Entry(0), BigInt(i.bytes.length)), "outside the file"],
    ["unaligned data", (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 0x200n), "no multiple"],
    ["reserved bits in L2", (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 4n), "reserved bits"],
    ["reserved bits without data", (i) => i.set64(i.l2Entry(9), 1n << 57n), "reserved bits"],
    ["a zero cluster in version 2", (i) => i.set64(i.l2Entry(9), 1n), "zero cluster in a version 2", { version: 2 }],
    ["a compressed cluster with COPIED", (i) => i.set64(i.l2Entry(9), COPIED | COMPRESSED | 0x5000n), "COPIED flag"],
    ["compressed data outside the file", (i) => i.set64(i.l2Entry(9), COMPRESSED | 0x100000n), "outside the file"],
    [
      "subclusters allocated and zero",
      (i) => i.set64(i.l2Entry(0) + 8, (1n << 32n) | 1n),
      "allocated and zero",
      { clusterBits: 14, hasSubclusters: true },
    ],
    [
      "subclusters without a cluster",
      (i) => i.set64(i.l2Entry(9) + 8, 1n),
      "the cluster is not",
      { clusterBits: 14, hasSubclusters: true },
    ],
    [
      "a zero flag with subclusters",
      (i) => i.set64(i.l2Entry(0), i.get64(i.l2Entry(0)) | 1n),
      "zero flag",
      { clusterBits: 14, hasSubclusters: true },
    ],
    [
      "a compressed cluster with subclusters",
      (i) => i.set64(i.l2Entry(0), COMPRESSED | 0x14000n),
      "subcluster bitmap",
      { clusterBits: 14, hasSubclusters: true },
    ],
  ])("refuses %s", async (_, damage, message, shape = {}) => {
    const image = new Qcow2Bytes(shape);
    damage(image);
    const opened = await open(image.bytes);
    await expect(opened.getMapping()).rejects.toThrow(corrupt(message));
    const { corruptions, warnings } = await checkOf(opened);
    expect(corruptions + warnings).toBeGreaterThan(0);
  });

  it("refuses a file that ends inside an L2 table", async () => {
    const { bytes } = new Qcow2Bytes({ dataClusters: 0 });
    const opened = await open(bytes.subarray(0, bytes.length - 2048));
    await expect(opened.getMapping()).rejects.toThrow(corrupt("goes on past the end of the file"));
  });

  it("refuses guest data in another file", async () => {
    const image = new Qcow2Bytes();
    image.set32(76, 4);
    const opened = await open(image.bytes);
    expect(opened.getConversionOptions().hasDataFile).toBe(true);
    await expect(opened.getMapping()).rejects.toThrow(expect.objectContaining({ kind: "unsupported" }));
  });

  it("ends soon where four million L1 entries list one table", async () => {
    const image = new Qcow2Bytes({ clusterBits: 21, dataClusters: 0, virtualSize: 2 ** 40 });
    image.set32(36, 2 ** 22);
    const l1 = Buffer.alloc(2 ** 25);
    for (let index = 0; index < 2 ** 22; index++) l1.writeBigUInt64BE(image.get64(image.l1Entry(0)), index * 8);
    const bytes = Buffer.concat([image.bytes, l1]);
    bytes.writeBigUInt64BE(BigInt(image.bytes.length), 40);
    const opened = await open(bytes);
    await expect(opened.getMapping()).rejects.toThrow(corrupt("more than once"));
    expect((await checkOf(opened)).corruptions).toBeGreaterThan(0);
  });

  it("refuses to walk more L2 tables than any disk has", async () => {
    const image = new Qcow2Bytes({ clusterBits: 21, dataClusters: 0, virtualSize: 2 ** 40 });
    image.set32(36, 2 ** 15);
    image.set64(40, BigInt(image.hostOffset(4)));
    for (let index = 0; index < 2 ** 15; index++)
      image.set64(image.hostOffset(4) + index * 8, BigInt((index + 5) * 2 ** 21));
    const storage = memoryStorage(image.bytes);
    const sparse = { path: "sparse", read: storage.read.bind(storage), close: storage.close.bind(storage) };
    const opened = await openWith(qcow2Driver, { ...sparse, size: () => Promise.resolve(2 ** 45) });
    await expect(opened.getMapping()).rejects.toThrow(expect.objectContaining({ kind: "unsupported" }));
    const { checkErrors, leaks } = await checkOf(opened);
    expect([checkErrors, leaks]).toEqual([1, 0]);
  });
});

describe("getConversionOptions", () => {
  it("tells what a target must honour", async () => {
    const options = (await open(new Qcow2Bytes({ refcountOrder: 3 }).bytes)).getConversionOptions();
    expect(options).toMatchObject({
      format: "qcow2",
      virtualSize: 65_536,
      clusterSize: 4096,
      snapshotCount: 0,
      bitmapNames: [],
      sharingSize: 4096,
      compression: "zlib",
      unclean: [],
      forgettable: [],
      creationOptions: {
        cluster_size: 4096,
        compat: "1.1",
        refcount_bits: 8,
        lazy_refcounts: false,
        compression_type: "zlib",
      },
    });
  });

  it("calls dirty and corrupt images unclean", async () => {
    const image = new Qcow2Bytes();
    image.set32(76, 3);
    const { unclean } = (await open(image.bytes)).getConversionOptions();
    expect(unclean).toEqual([
      "its refcounts may be stale (dirty bit); repair it with `check -r all`",
      "it is marked corrupt (corrupt bit); repair it with `check -r all`",
    ]);
  });

  it("lists what may be forgotten: unknown compatible and autoclear bits, extensions, stale bitmaps", async () => {
    const image = new Qcow2Bytes();
    image.set32(84, 0x8000_0001).set32(92, 0x80);
    image.set32(112, 0x12345678).set32(116, 0);
    image.set32(120, 0x23852875).set32(124, 24).set32(128, 1);
    const { forgettable, bitmapNames } = (await open(image.bytes)).getConversionOptions();
    expect(forgettable).toEqual([
      "unknown compatible feature bit 31",
      "unknown autoclear feature bit 7",
      "unknown header extension 0x12345678",
      "bitmaps that another program has left invalid",
    ]);
    expect(bitmapNames).toEqual([]);
  });
});

describe("getMetadataRanges", () => {
  it("covers header, tables and refcounts, and no data", async () => {
    const image = new Qcow2Bytes({ spareClusters: 1 });
    const ranges = await (await open(image.bytes)).getMetadataRanges();
    expect([...ranges.each()]).toEqual([{ start: 0, end: 5 * 4096 }]);
  });
});

describe("mapping, metadata and check", () => {
  it("come out the same in any order, and nothing is counted twice", async () => {
    const image = new Qcow2Bytes({ dataClusters: 6, spareClusters: 1 });
    image.setRefcount(HostCluster.data + 6, 1);
    const questions = {
      mapping: (opened: Image) => opened.getMapping(),
      metadata: async (opened: Image) => [...(await opened.getMetadataRanges()).each()],
      check: (opened: Image) => checkOf(opened),
    };
    const expected = {
      mapping: await questions.mapping(await open(image.bytes)),
      metadata: await questions.metadata(await open(image.bytes)),
      check: await questions.check(await open(image.bytes)),
    };
    expect([expected.check.leaks, expected.check.corruptions]).toEqual([1, 0]);
    const names = ["mapping", "metadata", "check"] as const;
    for (const first of names) {
      for (const second of names) {
        const opened = await open(image.bytes);
        for (const name of [first, second, ...names]) expect(await questions[name](opened)).toEqual(expected[name]);
      }
    }
  });
});

describe("planSettling", () => {
  it("clears autoclear bits that nobody knows before it zeroes anything, and never for their own sake", async () => {
    const image = new Qcow2Bytes().set64(88, (1n << 5n) | (1n << 33n));
    expect((await (await open(image.bytes)).planSettling?.())?.epochs).toEqual([]);
    image.bytes[3000] = 7;
    const plan = await (await open(image.bytes)).planSettling?.();
    const [first, second] = plan?.epochs.map(({ writes }) => [...(writes?.() ?? [])]) ?? [];
    expect(plan?.epochs).toHaveLength(2);
    expect(first).toHaveLength(1);
    expect(first?.[0]?.hostOffset).toBe(0);
    const sector = Buffer.from(first?.[0]?.bytes ?? []);
    expect(sector.readBigUInt64BE(88)).toBe(0n);
    expect(sector.writeBigUInt64BE(image.get64(88), 88)).toBe(96);
    expect(Buffer.compare(sector, image.bytes.subarray(0, 512))).toBe(0);
    expect(second?.every(({ hostOffset }) => hostOffset > 0)).toBe(true);
    expect(plan?.bytesWritten).toBe(
      [...(first ?? []), ...(second ?? [])].reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  });

  it("zeroes what the header cluster still holds of another format", async () => {
    const image = new Qcow2Bytes();
    image.bytes.fill(0xee, 1000, 1100);
    const plan = await (await open(image.bytes)).planSettling?.();
    expect(plan?.epochs).toHaveLength(1);
    const writes = [...(plan?.epochs[0]?.writes?.() ?? [])];
    for (const { hostOffset, bytes } of writes) image.bytes.set(bytes, hostOffset);
    expect(image.bytes.subarray(120, 4096).every((byte) => byte === 0)).toBe(true);
    expect(writes.every(({ hostOffset }) => hostOffset >= 112)).toBe(true);
    const after = await open(image.bytes);
    expect((await checkOf(after)).corruptions).toBe(0);
    expect((await after.planSettling?.())?.epochs).toEqual([]);
  });
});
