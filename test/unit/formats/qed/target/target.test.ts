import { describe, expect, it } from "vitest";
import { KiB, MiB, TiB } from "../../../../../src/bytes/align.ts";
import { UsageError } from "../../../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../../../src/bytes/range-set.ts";
import { openQed } from "../../../../../src/formats/qed/image.ts";
import { qedTarget } from "../../../../../src/formats/qed/target/target.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, firstDifference } from "../../../../../src/image/extent.ts";
import type { BackingFile, ConversionOptions } from "../../../../../src/image/source.ts";
import { DISK_ALONE } from "../../../../../src/image/source.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { readQedNaively } from "../../../../formats/qed/naive-reader.ts";
import { applyEpoch } from "../../../../support/apply-epoch.ts";
import { type Random, seededRandom } from "../../../../support/random.ts";

const NOTHING = new Set<string>();

function source(more: Partial<ConversionOptions> = {}): ConversionOptions {
  return {
    ...DISK_ALONE,
    format: "qcow2",
    virtualSize: MiB,
    clusterSize: 4 * KiB,
    sharingSize: 65536,
    compression: "zlib",
    usedHeader: RangeSet.of({ start: 0, end: 112 }),
    clustersPerTable: 512,
    ...more,
  };
}

function backing(name: string, more: Partial<BackingFile> = {}): BackingFile {
  return { nameBytes: new TextEncoder().encode(name), name, format: "raw", hostOffset: 600, ...more };
}

const draftOf = (more: Partial<ConversionOptions> = {}, options = {}, drop = NOTHING) =>
  qedTarget.openConversionTarget(source(more), options, drop);

function extents(virtualSize: number, ...rows: [length: number, state: ExtentState, hostOffset?: number][]) {
  const table = new ExtentTableBuilder();
  for (const [length, state, hostOffset] of rows) table.append(length, state, hostOffset);
  table.append(virtualSize - table.end, ExtentState.unallocated);
  return table.finish(virtualSize);
}

describe("QED target, openConversionTarget", () => {
  it.each([
    [512, 4 * KiB],
    [4 * KiB, 4 * KiB],
    [64 * KiB, 64 * KiB],
    [2 * MiB, 2 * MiB],
    [4 * MiB, 4 * MiB],
    [32 * MiB, 4 * MiB],
  ])("makes clusters of %i bytes clusters of %i", (clusterSize, expected) => {
    const draft = draftOf({ clusterSize });
    expect(draft.clusterSize).toBe(expected);
    expect(draft.placement).toMatchObject({ unitSize: expected, hostAlignment: expected, hasZeroState: true });
    expect([...draft.placement.reserved.each()]).toEqual([{ start: 0, end: expected }]);
  });

  it("takes the smallest of 4, 8, 16 tables that holds the disk", () => {
    const tablesFor = (virtualSize: number) => draftOf({ virtualSize }).options.table_size;
    expect(tablesFor(16 * 2 ** 30)).toBe(4);
    expect(tablesFor(16 * 2 ** 30 + 512)).toBe(8);
    expect(tablesFor(256 * 2 ** 30)).toBe(16);
    expect(draftOf({ clusterSize: 4 * MiB }).options.table_size).toBe(2);
    expect(draftOf({ format: "qed", creationOptions: { table_size: 2 } }).options.table_size).toBe(2);
    expect(draftOf({ format: "qed", creationOptions: { table_size: 1 } }).options.table_size).toBe(4);
  });

  it("names a disk beyond its tables", () => {
    expect(draftOf({ virtualSize: TiB }).refusals).toEqual([expect.stringMatching(/^Cannot map 1099511627776 bytes/)]);
    expect(draftOf({ virtualSize: TiB }, { cluster_size: 64 * KiB }).refusals).toEqual([]);
    const named = draftOf({ virtualSize: 4 * 2 ** 30 + 512 }, { table_size: 2 });
    expect(named.refusals).toEqual([expect.stringContaining("table_size=2 ends at 4294967296")]);
  });

  it.each<[Record<string, number | string>, string]>([
    [{ cluster_size: 2048 }, "cluster_size=2048"],
    [{ cluster_size: 12288 }, "cluster_size=12288"],
    [{ cluster_size: 8 * MiB }, "cluster_size=8388608"],
    [{ cluster_size: "64k" }, "it needs a number"],
    [{ table_size: 1 }, "QEMU can't open such an image; use 2, 4, 8 or 16"],
    [{ table_size: 3 }, "table_size=3"],
    [{ table_size: 32 }, "table_size=32"],
    [{ cluster_size: 2 * MiB, table_size: 16 }, "use 2, 4, 8"],
    [{ cluster_size: 4 * MiB, table_size: 4 }, "use 2"],
  ])("takes %o for a mistake", (options, message) => {
    const open = () => draftOf({}, options);
    expect(open).toThrow(UsageError);
    expect(open).toThrow(message);
  });

  it("gives all reasons of a refusal at once", () => {
    const draft = draftOf({
      virtualSize: 1000,
      snapshotCount: 2,
      bitmapNames: ["a", "b"],
      encryption: "luks",
      hasDataFile: true,
      backing: backing("n".repeat(1024), { format: "qcow2" }),
    });
    expect(draft.refusals).toHaveLength(7);
    for (const reason of draft.refusals) expect(String(reason)).toMatch(/^Cannot .*[^.]$/);
    expect(draft.dropped).toEqual([]);
  });

  it("drops by explicit word, and what the source lets it forget", () => {
    const lossy = { snapshotCount: 1, bitmapNames: ["a", "b"], forgettable: ["unknown autoclear feature bit 7"] };
    const draft = draftOf(lossy, {}, new Set(["bitmaps", "snapshots"]));
    expect(draft.refusals).toEqual([]);
    expect(draft.dropped).toEqual(["unknown autoclear feature bit 7", "1 snapshot", "bitmap a", "bitmap b"]);
  });

  it("takes raw and probed backing formats alone", () => {
    expect(draftOf({ backing: backing("base") }).refusals).toEqual([]);
    expect(draftOf({ backing: backing("base", { format: undefined }) }).refusals).toEqual([]);
    expect(draftOf({ backing: backing("base", { format: "qcow2" }) }).refusals).toHaveLength(1);
  });
});

describe("QED target, map", () => {
  const space = { oldFileSize: 40 * KiB, additiveStart: 40 * KiB };

  it("places L2 tables where they are needed, then the L1 table, past what settling will need", () => {
    const table = extents(
      40 * MiB,
      [8 * KiB, ExtentState.data, 8 * KiB],
      [24 * MiB, ExtentState.unallocated],
      [4096, ExtentState.zero],
    );
    const mapped = qedTarget.map(draftOf({ virtualSize: 40 * MiB }, { table_size: 2 }), table, space);
    // Header, two data clusters, tables 0 and 6 and L1: settled it has 9 clusters, below the additive start of 10.
    expect(mapped.fileSize).toBe(40 * KiB + 6 * 4096);
    expect(mapped.metadataBytes).toBe(6 * 4096);
    expect(mapped.settling.fileSize).toBe(9 * 4096);
    const early = qedTarget.map(draftOf({ virtualSize: 40 * MiB }), table, {
      oldFileSize: 16384,
      additiveStart: 16384,
    });
    expect(early.fileSize).toBe((1 + 2 + 12 + 12) * 4096);
  });

  it.each<[string, ExtentTable, string]>([
    ["an unaligned place", extents(MiB, [4096, 0, 8704]), "0x2200: it is no multiple of 4096"],
    [
      "an unaligned end",
      extents(MiB, [512, 0, 8192]),
      "guest offset 0x200: it is no multiple of the cluster size 4096",
    ],
    ["unaligned zeros", extents(MiB, [4096, 1], [512, 2], [4096, 1]), "guest offset 0x1200"],
    ["the header", extents(MiB, [4096, 0, 0]), "it lies in the header or is used twice"],
    ["a place used twice", extents(MiB, [8192, 0, 8192], [4096, 1], [4096, 0, 12288]), "used twice"],
    ["the new tables", extents(MiB, [8192, 0, 36 * KiB]), "its end lies in the new tables"],
    ["compressed data", extents(MiB, [4096, 3, 8192]), "QED holds no compressed data"],
    ["a short mapping", extents(MiB / 2), "the extents end at 0x80000, not at 0x100000"],
  ])("refuses %s", (_what, table, message) => {
    const map = () => qedTarget.map(draftOf(), table, space);
    expect(map).toThrow(message);
    expect(map).toThrow(expect.objectContaining({ kind: "out-of-bounds" }));
  });

  it("refuses an additive start below the file's end or between clusters", () => {
    const map = (oldFileSize: number, additiveStart: number) => () =>
      qedTarget.map(draftOf(), extents(MiB), { oldFileSize, additiveStart });
    expect(map(8192, 4096)).toThrow("below the file's end");
    expect(map(0, 4608)).toThrow("not aligned");
    expect(map(0, 0)).toThrow("below the file's end");
  });

  it("lets the disk's last cluster be cut short, but for its place in the file", () => {
    const table = extents(4096 + 512, [4096, ExtentState.unallocated], [512, ExtentState.data, 36 * KiB]);
    expect(() => qedTarget.map(draftOf({ virtualSize: 4608 }), table, space)).not.toThrow();
  });
});

describe("QED target, copyHeader", () => {
  const header = (name: BackingFile | undefined, used: RangeSet, size = 4096, place?: (bytes: Uint8Array) => void) => {
    const from = source({ backing: name });
    const draft = qedTarget.map(qedTarget.openConversionTarget(from, {}, NOTHING), extents(MiB), {
      oldFileSize: size,
      additiveStart: 4096,
    });
    const old = new Uint8Array(size).fill(0xaa);
    place?.(old);
    const commit = qedTarget.copyHeader(draft, from, old, used);
    const after = old.slice();
    after.set(commit.sector);
    for (const { hostOffset, bytes } of commit.extras) after.set(bytes, hostOffset);
    const view = new DataView(after.buffer);
    const nameAt = view.getUint32(56, true);
    const stored = Buffer.from(after.subarray(nameAt, nameAt + view.getUint32(60, true))).toString();
    return { commit, nameAt, stored, features: view.getBigUint64(16, true) };
  };
  const used = RangeSet.of({ start: 0, end: 1000 }, { start: 1600, end: 1700 });

  it("writes no name where there is none, and zeros all it doesn't need", () => {
    const { commit, features } = header(undefined, used);
    expect(features).toBe(0n);
    expect(commit.extras).toEqual([]);
    expect(commit.sector.length).toBe(512);
    expect(commit.sector.subarray(56).every((byte) => byte === 0)).toBe(true);
  });

  it("puts a name of up to 448 bytes into the sector", () => {
    const { commit, nameAt, stored, features } = header(backing("n".repeat(448)), used);
    expect([commit.extras.length, nameAt, stored, features]).toEqual([0, 64, "n".repeat(448), 5n]);
    expect(header(backing("probed", { format: undefined }), used).features).toBe(1n);
  });

  it("points at a longer name where it lies already", () => {
    const name = "n".repeat(449);
    for (const hostOffset of [600, 300, 64, 4096 - 449]) {
      const place = (old: Uint8Array) => old.set(new TextEncoder().encode(name), hostOffset);
      const found = header(backing(name, { hostOffset }), used, 4096, place);
      expect([found.commit.extras.length, found.nameAt, found.stored]).toEqual([0, hostOffset, name]);
    }
  });

  it("stores a longer name that our own header would overwrite in sectors that the source doesn't use", () => {
    const name = "n".repeat(700);
    const place = (old: Uint8Array) => old.set(new TextEncoder().encode(name), 40);
    const found = header(backing(name, { hostOffset: 40 }), used, 4096, place);
    expect([found.commit.extras.length, found.nameAt, found.stored]).toEqual([1, 2048, name]);
    const early = header(backing("n".repeat(500), { hostOffset: 40 }), used);
    expect(early.nameAt).toBe(1024);
  });

  it("believes the header, not the source's word, about where a name lies", () => {
    const name = "n".repeat(500);
    const found = header(backing(name, { hostOffset: 600 }), used);
    expect([found.nameAt, found.stored]).toEqual([1024, name]);
  });

  it("refuses a name that no room is left for", () => {
    const full = RangeSet.of({ start: 0, end: 3800 });
    expect(() => header(backing("n".repeat(500), { hostOffset: 5000 }), full)).toThrow(
      "Cannot store the backing name of 500 bytes",
    );
  });
});

describe("QED target, whole", () => {
  /** A file of data in shuffled places with junk where a header and tables were, and its extents. */
  function makeSource(random: Random, clusterSize: number, virtualSize: number) {
    const guestClusters = Math.ceil(virtualSize / clusterSize);
    const hostClusters = 40;
    const places = random.shuffle(Array.from({ length: hostClusters - 1 }, (_, at) => at + 1));
    const file = new Uint8Array(hostClusters * clusterSize).fill(0xcc);
    const guest = new Uint8Array(guestClusters * clusterSize);
    const states: string[] = [];
    const table = new ExtentTableBuilder();
    for (let cluster = 0; cluster < guestClusters; cluster++) {
      const length = Math.min(clusterSize, virtualSize - cluster * clusterSize);
      const kind = random.below(guestClusters > 100 ? 60 : 3);
      const place = kind === 0 ? places.pop() : undefined;
      if (place !== undefined) {
        const content = new Uint8Array(clusterSize).fill(random.below(256));
        file.set(content, place * clusterSize);
        guest.set(content, cluster * clusterSize);
        table.append(length, ExtentState.data, place * clusterSize);
        states.push("data");
      } else {
        table.append(length, kind === 1 ? ExtentState.zero : ExtentState.unallocated);
        states.push(kind === 1 ? "zero" : "-");
      }
    }
    return { file, guest: guest.subarray(0, virtualSize), states, extents: table.finish(virtualSize) };
  }

  it("makes an image that reads as the source, then settles to the forecast, without leaks", async () => {
    const random = seededRandom(44);
    for (let round = 0; round < 40; round++) {
      const clusterSize = random.pick([4096, 4096, 8192, 65536]);
      const guestClusters = random.pick([20, 90, clusterSize === 4096 ? 2500 : 60]);
      const virtualSize = guestClusters * clusterSize - random.pick([0, 512]);
      const made = makeSource(random, clusterSize, virtualSize);
      const from = source({ virtualSize, clusterSize });
      const draft = qedTarget.openConversionTarget(from, { table_size: random.pick([2, 4, 8, 16]) }, NOTHING);
      const oldFileSize = made.file.length - random.pick([0, 0, 512]);
      const mapped = qedTarget.map(draft, made.extents, {
        oldFileSize,
        additiveStart: made.file.length + random.pick([0, 5, 90]) * clusterSize,
      });
      const writes = [...mapped.additiveWrites()];
      expect(writes.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(mapped.metadataBytes);
      expect(writes).toEqual([...mapped.additiveWrites()]);
      const { sector } = qedTarget.copyHeader(mapped, from, made.file.slice(0, clusterSize), from.usedHeader);
      const switched = applyEpoch(made.file, {
        purpose: "switch",
        writes: () => [{ hostOffset: 0, bytes: sector }, ...writes],
        fileSize: mapped.fileSize,
      });
      const found = readQedNaively(switched);
      expect(found.corruptions).toBe(0);
      expect(found.states.join()).toBe(made.states.join());
      expect(Buffer.compare(found.guest, made.guest)).toBe(0);

      const image = await openQed(memoryStorage(switched));
      expect(firstDifference(await image.getMapping(), made.extents)).toBe(-1);
      const plan = await image.planSettling();
      const { fileSize, bytesMoved, bytesWritten } = plan;
      const stale = clusterSize - 512;
      expect({ fileSize, bytesMoved, bytesWritten: bytesWritten - stale }).toEqual(mapped.settling);
      const settled = plan.epochs.reduce(applyEpoch, switched);
      expect(readQedNaively(settled)).toMatchObject({ corruptions: 0, leaks: 0 });
      expect(Buffer.compare(readQedNaively(settled).guest, made.guest)).toBe(0);
    }
  });
});

it("has no zero mark over a backing file, where QEMU would fill a part of it from below", () => {
  const backing = { nameBytes: Buffer.from("base.raw"), name: "base.raw", format: "raw", hostOffset: 0 };
  expect(draftOf({ backing }).placement.hasZeroState).toBe(false);
  expect(draftOf({}).placement.hasZeroState).toBe(true);
});
