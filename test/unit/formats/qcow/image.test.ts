/** An opened qcow of version 1: mapping, check and metadata against a reader that shares no code with it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openQcow } from "../../../../src/formats/qcow/image.ts";
import { driverOf, probeFormat } from "../../../../src/formats/registry.ts";
import { ExtentState, eachExtent } from "../../../../src/image/extent.ts";
import { MAX_FINDINGS } from "../../../../src/image/finding.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { anyQcowDescription } from "../../../formats/qcow/any-image.ts";
import { type BuiltQcow, buildQcow, type QcowDescription } from "../../../formats/qcow/builder.ts";
import { readQcowNaively } from "../../../formats/qcow/naive-reader.ts";

const CLUSTER = 4096;
const GUEST = { virtualSize: 40 * CLUSTER, data: [0, 1, 5], compressed: [3] } as const;

function patched(
  description: QcowDescription,
  change: (set: (at: number, value: number | bigint) => void, image: BuiltQcow) => void,
): Uint8Array {
  const image = buildQcow(description);
  const bytes = Buffer.from(image.bytes);
  change((at, value) => bytes.writeBigUInt64BE(BigInt(value), at), image);
  return bytes;
}

async function mappingOf(bytes: Uint8Array) {
  const table = await (await openQcow(memoryStorage(bytes))).getMapping();
  return [...eachExtent(table)].map(({ guestOffset, hostOffset, length, state, storedLength }) => [
    guestOffset,
    hostOffset,
    length,
    state,
    storedLength,
  ]);
}

const checkOf = async (bytes: Uint8Array) => (await openQcow(memoryStorage(bytes))).check();

describe("mapping", () => {
  it("tells streams byte by byte, and merges what is contiguous in guest and host", async () => {
    const { bytes, dataOffsets } = buildQcow(GUEST);
    const at = (cluster: number) => dataOffsets.get(cluster) as number;
    const [, , , , storedLength] = (await mappingOf(bytes))[2] as number[];
    expect(await mappingOf(bytes)).toEqual([
      [0, at(0), 2 * CLUSTER, ExtentState.data, 0],
      [2 * CLUSTER, -1, CLUSTER, ExtentState.unallocated, 0],
      [3 * CLUSTER, at(3), CLUSTER, ExtentState.compressed, storedLength],
      [4 * CLUSTER, -1, CLUSTER, ExtentState.unallocated, 0],
      [5 * CLUSTER, at(5), CLUSTER, ExtentState.data, 0],
      [6 * CLUSTER, -1, 34 * CLUSTER, ExtentState.unallocated, 0],
    ]);
    expect(storedLength).toBeLessThan(CLUSTER);
  });

  it("cuts the last cluster where the disk ends, and leaves out what lies behind", async () => {
    const bytes = patched({ virtualSize: CLUSTER + 512, data: [1], leaks: 1 }, (set, { l2Offsets, dataOffsets }) =>
      set((l2Offsets.get(0) as number) + 16, (dataOffsets.get(1) as number) + CLUSTER),
    );
    expect((await mappingOf(bytes)).map(([start, , length]) => [start, length])).toEqual([
      [0, CLUSTER],
      [CLUSTER, 512],
    ]);
    expect(await checkOf(bytes)).toMatchObject({ corruptions: 0, leaks: 0, allocatedClusters: 2 });
  });

  it("goes across 4 GiB of the file as one run", async () => {
    const storage = memoryStorage(
      patched({ virtualSize: 64 * CLUSTER, data: [0] }, (set, { l2Offsets }) => {
        for (let entry = 0; entry < 64; entry++) {
          set((l2Offsets.get(0) as number) + entry * 8, (2 ** 20 - 32 + entry) * CLUSTER);
        }
      }),
    );
    storage.size = async () => 2 ** 33;
    const table = await (await openQcow(storage)).getMapping();
    expect([...eachExtent(table)]).toMatchObject([{ hostOffset: (2 ** 20 - 32) * CLUSTER, length: 64 * CLUSTER }]);
  });

  it("of any image: the states, metadata, leaks and users that the naive reader counts", async () => {
    await fc.assert(
      fc.asyncProperty(anyQcowDescription, async (description) => {
        const { bytes } = buildQcow(description);
        const naive = readQcowNaively(bytes);
        const image = await openQcow(memoryStorage(bytes));
        const { clusterSize } = image;
        const states = [...eachExtent(await image.getMapping())].flatMap(({ state, length }) =>
          new Array(Math.ceil(length / clusterSize)).fill(
            state === ExtentState.data ? "data" : state === ExtentState.compressed ? "compressed" : "-",
          ),
        );
        expect(states).toEqual(naive.states);
        const { corruptions, leaks, compressedClusters } = await image.check();
        expect(corruptions).toBe(0);
        expect(compressedClusters).toBe(naive.states.filter((state) => state === "compressed").length);
        expect(leaks).toBe(roomOf(naive.users, clusterSize));
        const metadata = await image.getMetadataRanges();
        for (const { start, end } of metadata.each()) {
          expect(naive.users.subarray(start, end).every((users) => users === 1)).toBe(true);
        }
        expect(image.getConversionOptions().usedHeader.contains(0, 48)).toBe(true);
      }),
      { numRuns: 150, seed: 5 },
    );
  });
});

/** Whole clusters, at any sector, in what nobody uses. */
function roomOf(users: Uint8Array, clusterSize: number): number {
  let room = 0;
  for (let at = 0; at + clusterSize <= users.length; ) {
    if (at % 512 === 0 && users.subarray(at, at + clusterSize).every((count) => count === 0)) {
      room++;
      at += clusterSize;
    } else at++;
  }
  return room;
}

describe("check", () => {
  it("names leaks, wherever they lie", async () => {
    const { findings, leaks, imageEndOffset } = await checkOf(buildQcow({ ...GUEST, leaks: 3 }).bytes);
    expect([leaks, findings.length]).toEqual([3, 1]);
    expect(findings[0]).toMatchObject({ severity: "leak", line: expect.stringMatching(/^Leaked 3 clusters from/) });
    expect(imageEndOffset).toBe(findings[0]?.hostOffset);
  });

  it.each<[string, RegExp, Parameters<typeof patched>[1]]>([
    [
      "data that is used twice",
      /guest offset 0x1000 .*lies on the data of guest offset 0x0$/,
      (set, image) => set((image.l2Offsets.get(0) as number) + 8, image.dataOffsets.get(0) as number),
    ],
    [
      "data on a table",
      /guest offset 0x1000 at .* lies on L2 table 0$/,
      (set, { l2Offsets }) => set((l2Offsets.get(0) as number) + 8, (l2Offsets.get(0) as number) + 512),
    ],
    [
      "a table on data",
      /^L2 table 0 at .*|lies on L2 table 0$/,
      (set, image) => set((image.l2Offsets.get(0) as number) + 8, (image.l2Offsets.get(0) as number) - 512),
    ],
    [
      "data past the end",
      /guest offset 0x9000 points at host offset 0x100000, outside/,
      (set, { l2Offsets }) => set((l2Offsets.get(0) as number) + 72, 1 << 20),
    ],
  ])("%s is a corruption", async (_, says, change) => {
    const { corruptions, findings } = await checkOf(patched(GUEST, change));
    expect(corruptions).toBeGreaterThan(0);
    expect(findings.some(({ severity, message }) => severity === "corruption" && says.test(message))).toBe(true);
  });

  it("takes streams that tell more than they are, or that two share, for sound", async () => {
    const more = buildQcow({ ...GUEST, compressed: [2, 3, 4], streamsTellMore: 50 });
    expect(await checkOf(more.bytes)).toMatchObject({ corruptions: 0, leaks: 0, compressedClusters: 3 });
    const shared = patched(GUEST, (set, { l2Offsets, bytes }) => {
      const table = l2Offsets.get(0) as number;
      set(table + 64, Buffer.from(bytes).readBigUInt64BE(table + 24));
    });
    expect(await checkOf(shared)).toMatchObject({ corruptions: 0, compressedClusters: 2 });
  });

  it("keeps the first of many findings, and tells all to who listens", async () => {
    const bytes = patched({ virtualSize: 3000 * CLUSTER, l2Bits: 13, data: [0] }, (set, { l2Offsets }) => {
      for (let entry = 0; entry < 3000; entry += 2) set((l2Offsets.get(0) as number) + entry * 8, 7);
    });
    let heard = 0;
    const result = await (await openQcow(memoryStorage(bytes))).check(() => heard++);
    expect([result.corruptions, result.findings.length, heard]).toEqual([1500, MAX_FINDINGS, 1501]);
  });
});

describe("rearranging", () => {
  it("is refused where an entry lies in two sectors, of an image that is not sound, and of an encrypted one", async () => {
    const { bytes, l2Offsets, l1Offset } = buildQcow(GUEST);
    const [table, end] = [l2Offsets.get(0) as number, bytes.length + 3];
    const askew = Buffer.concat([bytes, Buffer.alloc(3), bytes.subarray(table, table + 4096)]);
    askew.writeBigUInt64BE(BigInt(end), l1Offset);
    const open = async (image: Uint8Array) => (await openQcow(memoryStorage(image))).openRearranger();
    await expect(open(askew)).rejects.toThrow(/lies at no multiple of 8/);
    await expect(open(buildQcow({ ...GUEST, cryptMethod: 1 }).bytes)).rejects.toThrow(/it is encrypted/);
    const twice = patched(GUEST, (set, image) => set(table + 8, image.dataOffsets.get(0) as number));
    await expect(open(twice)).rejects.toThrow(/lies on the data of guest offset 0x0/);
    expect((await open(bytes)).unitSize).toBe(CLUSTER);
    expect((await open(buildQcow({ ...GUEST, sectorsBetween: 1 }).bytes)).unitSize).toBe(512);
  });
});

describe("probing", () => {
  it("tells version 1 from the later ones by its longer mark", async () => {
    const { bytes } = buildQcow(GUEST);
    expect((await probeFormat(memoryStorage(bytes))).name).toBe("qcow");
    const later = Buffer.from(bytes);
    later.writeUInt32BE(3, 4);
    expect((await probeFormat(memoryStorage(later))).name).toBe("qcow2");
    expect(driverOf("qcow").extensions).toEqual([".qcow"]);
  });
});

describe("hostile sizes", () => {
  /** A file that is all holes but for what was said. */
  function sparse(fileSize: number, pieces: ReadonlyMap<number, Uint8Array>) {
    const storage = memoryStorage(new Uint8Array(0));
    let bytesRead = 0;
    storage.size = async () => fileSize;
    const read = (hostOffset: number, into: Uint8Array): number => {
      const count = Math.max(0, Math.min(into.length, fileSize - hostOffset));
      bytesRead += count;
      into.fill(0, 0, count);
      for (const [start, bytes] of pieces) {
        for (const [at, byte] of bytes.entries()) {
          if (start + at >= hostOffset && start + at < hostOffset + count) into[start + at - hostOffset] = byte;
        }
      }
      return count;
    };
    storage.read = async (hostOffset, into) => read(hostOffset, into);
    Object.assign(storage, { readAtOnce: undefined });
    return { storage, bytesRead: () => bytesRead };
  }

  const headerOf = (virtualSize: number, clusterBits: number, l2Bits: number) => {
    const header = Buffer.alloc(48);
    header.write("QFI\xfb\0\0\0\x01", 0, "latin1");
    header.writeBigUInt64BE(BigInt(virtualSize), 24);
    header.writeUInt8(clusterBits, 32);
    header.writeUInt8(l2Bits, 33);
    header.writeBigUInt64BE(48n, 40);
    return header;
  };

  it("an L1 table for 2^52 bytes of holes is read once, and takes no memory", async () => {
    const l1Bytes = (2 ** 52 / 2 ** 29) * 8;
    const { storage, bytesRead } = sparse(48 + l1Bytes, new Map([[0, headerOf(2 ** 52, 16, 13)]]));
    const image = await openQcow(storage);
    expect((await image.getMapping()).count).toBe(1);
    expect(bytesRead()).toBeLessThan(l1Bytes + 2 ** 20);
  });

  it("tables are not followed where there are more of them than 16 GiB", async () => {
    const entries = Buffer.alloc(8 * 262_145);
    for (let at = 0; at < entries.length; at += 8) entries.writeBigUInt64BE(BigInt(2 ** 30 + at * 2 ** 13), at);
    const l1Bytes = (2 ** 48 / 2 ** 29) * 8;
    const { storage } = sparse(2 ** 36, new Map([[0, headerOf(2 ** 48, 16, 13)]]));
    const read = storage.read;
    storage.read = async (hostOffset, into) => {
      const count = await read(hostOffset, into);
      const start = Math.max(hostOffset, 48);
      const end = Math.min(hostOffset + count, 48 + Math.min(entries.length, l1Bytes));
      if (end > start) into.set(entries.subarray(start - 48, end - 48), start - hostOffset);
      return count;
    };
    await expect((await openQcow(storage)).getMapping()).rejects.toThrow(/more than 16 GiB of them/);
  });
});
