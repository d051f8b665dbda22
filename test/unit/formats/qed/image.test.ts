import { describe, expect, it } from "vitest";
import { openQed } from "../../../../src/formats/qed/image.ts";
import { ExtentState, eachExtent } from "../../../../src/image/extent.ts";
import { MAX_FINDINGS } from "../../../../src/image/finding.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import type { Storage } from "../../../../src/storage/storage.ts";
import { buildQedImage, setEntry } from "../../../formats/qed/builder.ts";
import { readQedNaively } from "../../../formats/qed/naive-reader.ts";
import { seededRandom } from "../../../support/random.ts";

const CLUSTER = 4096;

async function mappingOf(bytes: Uint8Array) {
  const table = await (await openQed(memoryStorage(bytes))).getMapping();
  return [...eachExtent(table)].map(({ guestOffset, hostOffset, length, state }) => [
    guestOffset,
    hostOffset,
    length,
    state,
  ]);
}

describe("QED mapping", () => {
  it("merges what is contiguous in guest and host, names zeros, and leaves gaps unallocated", async () => {
    const { bytes, dataOffsets } = buildQedImage({ virtualSize: 40960, data: [0, 1, 5], zero: [2, 3] });
    const at = (cluster: number) => dataOffsets.get(cluster);
    expect(await mappingOf(bytes)).toEqual([
      [0, at(0), 2 * CLUSTER, ExtentState.data],
      [2 * CLUSTER, -1, 2 * CLUSTER, ExtentState.zero],
      [4 * CLUSTER, -1, CLUSTER, ExtentState.unallocated],
      [5 * CLUSTER, at(5), CLUSTER, ExtentState.data],
      [6 * CLUSTER, -1, 4 * CLUSTER, ExtentState.unallocated],
    ]);
  });

  it("cuts the last cluster where the disk ends", async () => {
    const { bytes, dataOffsets } = buildQedImage({ virtualSize: CLUSTER + 512, data: [1] });
    expect(await mappingOf(bytes)).toEqual([
      [0, -1, CLUSTER, ExtentState.unallocated],
      [CLUSTER, dataOffsets.get(1), 512, ExtentState.data],
    ]);
  });

  it("is empty for an empty disk", async () => {
    expect(await mappingOf(buildQedImage({ virtualSize: 0 }).bytes)).toEqual([]);
  });

  it("ignores entries past the disk's end", async () => {
    const { bytes, l2Offsets, l1Offset } = buildQedImage({ virtualSize: 8 * CLUSTER, data: [0], leaks: 3 });
    const view = new DataView(bytes.buffer);
    setEntry(view, l2Offsets.get(0) as number, 8, bytes.length - CLUSTER);
    bytes.fill(0, bytes.length - 3 * CLUSTER, bytes.length - CLUSTER);
    setEntry(view, l1Offset, 9, bytes.length - 3 * CLUSTER);
    expect((await mappingOf(bytes)).at(-1)).toEqual([CLUSTER, -1, 7 * CLUSTER, ExtentState.unallocated]);
  });

  it("reads runs across 4 GiB as one", async () => {
    const clusterCount = 2 ** 20 + 40;
    const { bytes, l2Offsets } = buildQedImage({ virtualSize: 64 * CLUSTER, data: [0] });
    const view = new DataView(bytes.buffer);
    for (let entry = 0; entry < 64; entry++) {
      setEntry(view, l2Offsets.get(0) as number, entry, (2 ** 20 - 32 + entry) * CLUSTER);
    }
    const storage = memoryStorage(bytes);
    storage.size = async () => clusterCount * CLUSTER;
    const table = await (await openQed(storage)).getMapping();
    expect([...eachExtent(table)]).toMatchObject([{ hostOffset: (2 ** 20 - 32) * CLUSTER, length: 64 * CLUSTER }]);
  });

  it("equals the naive reader's on shuffled images of every table size", async () => {
    const random = seededRandom(7);
    for (const tableSize of [1, 2, 4, 8, 16]) {
      const data = [...new Set(Array.from({ length: 60 }, () => random.below(3000)))];
      const built = buildQedImage({
        virtualSize: 3000 * CLUSTER,
        tableSize,
        data,
        zero: [3001 - 2, 17].filter((cluster) => !data.includes(cluster)),
        seed: 5,
        shuffleTables: true,
        leaks: 4,
      });
      const naive = readQedNaively(built.bytes);
      const states: string[] = [];
      for (const [guestOffset, hostOffset, length, state] of await mappingOf(built.bytes)) {
        for (let done = 0; done < (length as number); done += CLUSTER) {
          const guestCluster = ((guestOffset as number) + done) / CLUSTER;
          states.push(state === ExtentState.data ? "data" : state === ExtentState.zero ? "zero" : "-");
          if (state === ExtentState.data) {
            expect((hostOffset as number) + done).toBe(built.dataOffsets.get(guestCluster));
          }
        }
      }
      expect(states.join()).toBe(naive.states.join());
    }
  });
});

describe("QED check", () => {
  const damaged = (change: (view: DataView, built: ReturnType<typeof buildQedImage>) => void, leaks = 0) => {
    const built = buildQedImage({ virtualSize: 8 << 20, data: [0, 1, 2, 1500], zero: [7], leaks });
    change(new DataView(built.bytes.buffer), built);
    return openQed(memoryStorage(built.bytes));
  };
  const l2 = (built: ReturnType<typeof buildQedImage>, index = 0) => built.l2Offsets.get(index) as number;

  it("finds a clean image clean", async () => {
    const image = await damaged(() => {});
    expect(await image.check()).toEqual({
      corruptions: 0,
      leaks: 0,
      checkErrors: 0,
      warnings: 0,
      imageEndOffset: 0,
      totalClusters: 2048,
      allocatedClusters: 4,
      fragmentedClusters: 0,
      compressedClusters: 0,
      findings: [],
    });
  });

  it("tells whoever listens of every finding, each time", async () => {
    const description = { virtualSize: 8 << 20, data: [0, 1], leaks: 1 };
    const { bytes, l2Offsets } = buildQedImage(description);
    const view = new DataView(bytes.buffer);
    // Each points between clusters, and no two of them are one run.
    for (let index = 2; index < 1024; index++) setEntry(view, l2Offsets.get(0) as number, index, 4096 * 99 + index * 8);
    const image = await openQed(memoryStorage(bytes));
    for (const turn of [1, 2]) {
      const lines: (string | undefined)[] = [];
      const { findings, corruptions } = await image.check(({ line }) => lines.push(line));
      expect([turn, lines.length, corruptions, findings.length]).toEqual([turn, 1023, 1022, 1000]);
      expect(lines.at(-1)).toMatch(/^Leaked cluster from host offset 0x/);
      expect(lines[0]).toMatch(/^ERROR The entry for guest offset 0x2000 points at host offset 0x/);
    }
  });

  it("counts fragments within each table, as qemu-img does", async () => {
    // In the file: 1024, 0, 1, 1025.
    const { bytes } = buildQedImage({ virtualSize: 8 << 20, data: [1024, 0, 1, 1025] });
    expect(await (await openQed(memoryStorage(bytes))).check()).toMatchObject({ fragmentedClusters: 1 });
  });

  it("counts leaked clusters and names them run by run", async () => {
    const result = await (await damaged(() => {}, 3)).check();
    expect(result).toMatchObject({ corruptions: 0, leaks: 3 });
    expect(result.findings.map((finding) => finding.message)).toEqual([
      "3 leaked clusters from host offset 0xb000: nothing refers there",
    ]);
  });

  it("reports NEED_CHECK as a warning and as unclean", async () => {
    const image = await openQed(memoryStorage(buildQedImage({ virtualSize: 1 << 20, features: 2n }).bytes));
    expect((await image.check()).findings).toMatchObject([{ severity: "warning", kind: "need-check" }]);
    expect(image.getConversionOptions().unclean).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof damaged>[0], string, boolean]>([
    [
      "a cluster used twice",
      (view, b) => setEntry(view, l2(b), 5, b.dataOffsets.get(0) ?? 0),
      "double-reference",
      true,
    ],
    ["data beyond 2^53", (view, b) => setEntry(view, l2(b), 5, 0x100000000000000n), "entry-unaligned", false],
    ["data on the L1 table", (view, b) => setEntry(view, l2(b), 5, b.l1Offset), "double-reference", true],
    ["data unaligned", (view, b) => setEntry(view, l2(b), 5, 0x5200), "entry-unaligned", false],
    ["data past the end", (view, b) => setEntry(view, l2(b), 5, 1 << 30), "entry-out-of-bounds", false],
    ["a table used twice", (view, b) => setEntry(view, b.l1Offset, 1, l2(b)), "table-overlap", false],
    ["a table on the L1 table", (view, b) => setEntry(view, b.l1Offset, 1, b.l1Offset), "table-overlap", false],
    ["a table in the header", (view, b) => setEntry(view, b.l1Offset, 3, 1), "table-out-of-bounds", false],
    [
      "a table half past the end",
      (view, b) => setEntry(view, b.l1Offset, 3, b.bytes.length - CLUSTER),
      "table-out-of-bounds",
      false,
    ],
    ["a table beyond 2^53", (view, b) => setEntry(view, b.l1Offset, 3, 1n << 62n), "table-out-of-bounds", false],
  ])("reports %s", async (_what, change, kind, isMapped) => {
    const image = await damaged(change);
    const result = await image.check();
    expect(result.corruptions).toBeGreaterThan(0);
    expect(result.findings.find((finding) => finding.severity === "corruption")?.kind).toBe(kind);
    if (isMapped) await image.getMapping();
    else await expect(image.getMapping()).rejects.toMatchObject({ kind: "corrupt" });
  });

  it("is bounded by the file, not by what its tables say", async () => {
    // 8192 L1 entries that all name one table, and 8192 findings.
    const { bytes, l1Offset, l2Offsets } = buildQedImage({ virtualSize: 1 << 20, data: [0], tableSize: 16 });
    const view = new DataView(bytes.buffer);
    for (let index = 1; index < 8192; index++) setEntry(view, l1Offset, index, l2Offsets.get(0) as number);
    let bytesRead = 0;
    const storage = memoryStorage(bytes);
    const counting: Storage = {
      path: "counting",
      size: () => storage.size(),
      close: () => storage.close(),
      read: (hostOffset, into) => {
        bytesRead += into.length;
        return storage.read(hostOffset, into);
      },
    };
    const result = await (await openQed(counting)).check();
    expect(result.corruptions).toBe(8191 * 16);
    expect(result.findings).toHaveLength(MAX_FINDINGS);
    expect(bytesRead).toBeLessThan(20 * 65536);
  });

  it("passes a failing read on and leaves no other read behind", async () => {
    const { bytes } = buildQedImage({
      virtualSize: 64 << 20,
      data: [0, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 9216],
    });
    const storage = memoryStorage(bytes);
    const read = storage.read.bind(storage);
    let underWay = 0;
    let count = 0;
    storage.read = async (hostOffset, into) => {
      underWay++;
      const fails = ++count === 5;
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      if (fails) throw new Error("EIO");
      return read(hostOffset, into);
    };
    const image = await openQed(storage);
    await expect(image.getMapping()).rejects.toThrow("EIO");
    expect(underWay).toBe(0);
  });
});

describe("QED image", () => {
  it("tells its options", async () => {
    const { bytes } = buildQedImage({
      virtualSize: 1 << 20,
      tableSize: 8,
      backingName: "base.raw",
      backingNameAt: 100,
      backingIsRaw: true,
      compatFeatures: 1n << 2n,
      autoclearFeatures: 1n << 7n,
    });
    const options = (await openQed(memoryStorage(bytes))).getConversionOptions();
    expect(options).toMatchObject({
      format: "qed",
      virtualSize: 1 << 20,
      clusterSize: 4096,
      creationOptions: { cluster_size: 4096, table_size: 8 },
      backing: { name: "base.raw", format: "raw", hostOffset: 100 },
      unclean: [],
      forgettable: ["unknown compatible feature bit 2", "unknown autoclear feature bit 7"],
    });
    expect([...options.usedHeader.each()]).toEqual([
      { start: 0, end: 64 },
      { start: 100, end: 108 },
    ]);
    const probed = buildQedImage({ virtualSize: 512, backingName: "base" }).bytes;
    expect((await openQed(memoryStorage(probed))).getConversionOptions().backing?.format).toBeUndefined();
  });

  it("tells where its metadata lies", async () => {
    const { bytes, l1Offset, l2Offsets } = buildQedImage({
      virtualSize: 8 << 20,
      data: [0, 1500],
      seed: 9,
      shuffleTables: true,
    });
    const ranges = await (await openQed(memoryStorage(bytes))).getMetadataRanges();
    expect(ranges.total).toBe(CLUSTER + 3 * 2 * CLUSTER);
    for (const start of [0, l1Offset, ...l2Offsets.values()])
      expect(ranges.contains(start, start + CLUSTER)).toBe(true);
  });
});
