/** Sparse VMDKs read and converted in memory: what moves, what does not, and what is told of a damaged one. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { check } from "../../../../src/convert/check.ts";
import { convert } from "../../../../src/convert/convert.ts";
import { rollback } from "../../../../src/convert/recover.ts";
import { openImage } from "../../../../src/formats/registry.ts";
import { ExtentState, eachExtent } from "../../../../src/image/extent.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../../src/image/guest/view.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../../src/storage/memory.ts";
import { type BuiltSparse, buildSparse, type SparseDescription } from "../../../formats/vmdk/sparse/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";

const KiB = 1024;
const MIXED: SparseDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39] };
const STREAM: SparseDescription = { ...MIXED, isStream: true };
/** Its first grain lies behind where a qcow2 has its header, as qemu-img's and VMware's do. */
const FAR: SparseDescription = {
  virtualSize: 20 * 64 * KiB,
  data: [0, 1, 2, 9, 19],
  grainSize: 64 * KiB,
  isStream: true,
  hasFooter: true,
  level: 0,
};

const open = (bytes: Uint8Array) => openImage(memoryStorage(bytes, "disk.vmdk"));

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await open(bytes);
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** With zeros between the descriptor and the first grain, all that lies behind moved by as much. */
function pushedBack({ bytes, grainOffsets, tableOffsets, directoryOffset }: BuiltSparse, by: number): Buffer {
  const first = Math.min(...grainOffsets.values());
  const pushed = Buffer.concat([bytes.subarray(0, first), Buffer.alloc(by), bytes.subarray(first)]);
  for (const table of tableOffsets.values())
    for (let at = table + by; at < table + by + 2048; at += 4) {
      const sector = pushed.readUInt32LE(at);
      if (sector > 1) pushed.writeUInt32LE(sector + by / 512, at);
    }
  for (const [index, table] of tableOffsets) pushed.writeUInt32LE((table + by) / 512, directoryOffset + by + index * 4);
  const footer = pushed.length - 1024;
  pushed.writeUInt32LE((directoryOffset + by) / 512, footer + 56);
  return pushed;
}

describe("grains as they lie", () => {
  test("the mapping has each where its table says, zeros nowhere, and runs as one", async () => {
    const built = buildSparse({ ...MIXED, zero: [3, 4], phase: 3 });
    const { mapping } = { mapping: await (await open(built.bytes)).getMapping() };
    const rows = [...eachExtent(mapping)].map(({ guestOffset, hostOffset, length, state }) => [
      guestOffset / 4096,
      hostOffset,
      length,
      state,
    ]);
    const at = (grain: number) => built.grainOffsets.get(grain) as number;
    expect(rows.slice(0, 4)).toEqual([
      [0, at(0), 8192, ExtentState.data],
      [2, -1, 4096, ExtentState.unallocated],
      [3, -1, 8192, ExtentState.zero],
      [5, at(5), 4096, ExtentState.data],
    ]);
    expect(rows.at(-1)).toEqual([39, at(39), 4096 - 1536, ExtentState.data]);
  });

  test.each([
    [0, 0],
    [3, 6 * 4096],
  ])("off their size by %d sectors %d bytes move to a qcow2 of clusters as large", async (phase, moved) => {
    const { bytes, guest } = buildSparse({ ...MIXED, phase });
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const report = await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
    expect(report).toMatchObject({ clusterSize: 4096, bytesMoved: moved });
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
  });

  test("a file that ends inside its last grain is read with zeros behind", async () => {
    const { bytes, guest } = buildSparse({ ...MIXED, virtualSize: 40 * 4096, missing: 1000 });
    guest.fill(0, guest.length - 1000);
    expect(Buffer.compare(await guestOf(bytes), guest)).toBe(0);
  });

  test("a redundant directory and its tables are metadata", async () => {
    const { bytes, redundantOffset } = buildSparse({ ...MIXED, isRedundant: true, entryCount: 16 });
    const metadata = await (await open(bytes)).getMetadataRanges();
    for (const at of [0, 512, 1024, 1536]) {
      const length = at === 0 ? 12 : 64;
      expect(metadata.contains(redundantOffset + at, redundantOffset + at + length)).toBe(true);
    }
  });
});

describe("streams", () => {
  test("each points 14 bytes behind its marker, up to the end of its last sector", async () => {
    const { bytes, grainOffsets } = buildSparse(STREAM);
    const image = await open(bytes);
    const rows = [...eachExtent(await image.getMapping())].filter(({ state }) => state === ExtentState.compressed);
    expect(rows.map(({ hostOffset }) => hostOffset)).toEqual(
      [0, 1, 5, 9, 17, 39].map((grain) => (grainOffsets.get(grain) as number) + 14),
    );
    for (const { hostOffset, storedLength } of rows) expect((hostOffset + storedLength) % 512).toBe(0);
    expect(image.getConversionOptions()).toMatchObject({ compression: "zlib", clusterSize: 4096 });
  });

  test("become compressed clusters of a qcow2 where they lie: nothing moves, and the way back is byte for byte", async () => {
    const built = buildSparse(FAR);
    const bytes = pushedBack(built, 64 * KiB);
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const report = await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume));
    expect(report.bytesMoved).toBe(0);
    const after = await open(volume.snapshot(IMAGE_PATH));
    const states = [...eachExtent(await after.getMapping())].map(({ state }) => state);
    expect(states.filter((state) => state === ExtentState.compressed)).toHaveLength(5);
    expect(states).not.toContain(ExtentState.data);
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
  });

  test("in the way of a qcow2's header alone are stored anew", async () => {
    const { bytes, grainOffsets } = buildSparse(FAR);
    const inTheWay = [...grainOffsets.values()].filter((at) => at < 64 * KiB).length;
    const report = await convert(IMAGE_PATH, "qcow2", {}, testHost(new MemoryVolume({ [IMAGE_PATH]: bytes })));
    expect(inTheWay).toBe(1);
    expect(report.bytesMoved).toBe(64 * KiB);
  });

  test("the last one may hold the disk's bytes alone: it is read, and stored anew", async () => {
    for (const hasShortTail of [true, false]) {
      const built = buildSparse({ ...FAR, virtualSize: FAR.virtualSize - 5 * 512, hasShortTail });
      const bytes = pushedBack(built, 64 * KiB);
      const image = await open(bytes);
      expect(image.getConversionOptions().tailLength).toBe(64 * KiB - 5 * 512);
      await image.getMapping();
      expect(image.getConversionOptions().tailLength).toBe(hasShortTail ? 64 * KiB - 5 * 512 : undefined);
      const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
      const report = await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
      expect(report.bytesMoved).toBe(hasShortTail ? 64 * KiB : 0);
      expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
    }
  });

  test("one that is short elsewhere, or damaged, is none", async () => {
    for (const stream of [deflateRawSync(Buffer.alloc(4000)), Buffer.alloc(16, 0xff)]) {
      const { bytes, grainOffsets } = buildSparse(STREAM);
      stream.copy(bytes, (grainOffsets.get(5) as number) + 14);
      await expect(guestOf(bytes)).rejects.toMatchObject({ kind: "corrupt", structure: "compressed cluster" });
    }
  });

  test("tables, their markers, directory and footer are metadata, grains are not", async () => {
    const { bytes, grainOffsets, tableOffsets, directoryOffset } = buildSparse({ ...STREAM, entryCount: 16 });
    const metadata = await (await open(bytes)).getMetadataRanges();
    for (const table of [...tableOffsets.values(), directoryOffset])
      expect(metadata.contains(table - 512, table + 12)).toBe(true);
    expect(metadata.contains(bytes.length - 1536, bytes.length)).toBe(true);
    for (const grain of grainOffsets.values()) expect(metadata.intersects(grain, grain + 64)).toBe(false);
  });

  test("the header that stands for the footer makes the file whole at any length, and says nothing else", async () => {
    const { bytes, guest, directoryOffset } = buildSparse(STREAM);
    const { anchor } = (await open(bytes)).getConversionOptions();
    const anchored = Buffer.concat([bytes, Buffer.alloc(5000, 0xee)]);
    anchored.set(anchor as Uint8Array);
    expect(Buffer.compare(await guestOf(anchored), guest)).toBe(0);
    const expected = Buffer.from(bytes.subarray(0, 512));
    expected.writeBigUInt64LE(BigInt(directoryOffset / 512), 56);
    expect(Buffer.compare(anchor as Uint8Array, expected)).toBe(0);
    const { bytes: without } = buildSparse({ ...STREAM, hasFooter: false });
    expect((await open(without)).getConversionOptions().anchor).toBeUndefined();
  });
});

describe("a check", () => {
  const damaged = (change: (bytes: Buffer, built: BuiltSparse) => void, description: SparseDescription = MIXED) => {
    const built = buildSparse(description);
    change(built.bytes, built);
    return open(built.bytes);
  };

  test("tells in qemu-img's words of a grain outside the file, which can't be mapped", async () => {
    const image = await damaged((bytes, { tableOffsets }) =>
      bytes.writeUInt32LE(100_000, (tableOffsets.get(0) as number) + 5 * 4),
    );
    const { checkErrors, findings } = await checkOf(image);
    expect(checkErrors).toBe(1);
    expect(findings).toMatchObject([
      { severity: "error", line: "ERROR: cluster offset for sector 40 points after EOF", guestOffset: 5 * 4096 },
    ]);
    await expect(image.getMapping()).rejects.toBeInstanceOf(ImageError);
  });

  test("warns of what qemu-img lets pass", async () => {
    const image = await damaged(
      (bytes, { tableOffsets, grainOffsets }) => {
        const table = tableOffsets.get(0) as number;
        bytes.writeUInt32LE(2, table + 5 * 4);
        bytes.writeUInt32LE((grainOffsets.get(9) as number) / 512, table + 17 * 4);
        bytes.writeUInt8(1, 72);
      },
      { ...MIXED, isRedundant: true },
    );
    const heard: string[] = [];
    const { corruptions, checkErrors, warnings } = await checkOf(image, ({ kind }) => heard.push(kind));
    expect({ corruptions, checkErrors, warnings }).toEqual({ corruptions: 0, checkErrors: 0, warnings: 4 });
    expect(heard).toEqual(["unclean-shutdown", "grain-on-metadata", "double-reference", "redundant-directory"]);
  });

  test("lets whoever listens hear all of many", async () => {
    const image = await damaged(
      (bytes, { tableOffsets }) => {
        const table = tableOffsets.get(0) as number;
        for (let at = 0; at < 1200; at += 1) bytes.writeUInt32LE(100_000 + 64 * at, table + at * 4);
      },
      { virtualSize: 512 * 4096, data: [0], entryCount: 512 },
    );
    let heard = 0;
    const { checkErrors, findings } = await checkOf(image, () => heard++);
    expect([heard, findings.length]).toEqual([checkErrors, Math.min(checkErrors, 1000)]);
    expect(heard).toBeGreaterThan(400);
  });
});

describe("a repair", () => {
  const inUse = (change: (built: BuiltSparse) => void = () => {}) => {
    const built = buildSparse({ ...MIXED, isRedundant: true });
    built.bytes.writeUInt8(1, 72);
    change(built);
    return new Uint8Array(built.bytes);
  };
  const repaired = async (bytes: Uint8Array, repair: "leaks" | "all") => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const { changed } = await check(IMAGE_PATH, { repair, keepUndo: true }, testHost(volume));
    return { changed, volume, after: volume.snapshot(IMAGE_PATH) };
  };

  test("of all takes the mark away that it is in use, with a way back", async () => {
    const bytes = inUse();
    const { changed, volume, after } = await repaired(bytes, "all");
    const expected = Uint8Array.from(bytes);
    expected[72] = 0;
    expect([changed, Buffer.compare(after, expected)]).toEqual([true, 0]);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: bytes });
  });

  test("of leaks does not, and none where its writer may have been cut off between two tables", async () => {
    const torn = inUse(({ bytes, tableOffsets }) => bytes.writeUInt32LE(0, tableOffsets.get(0) as number));
    for (const [bytes, scope] of [
      [inUse(), "leaks"],
      [torn, "all"],
    ] as const) {
      const { changed, after } = await repaired(bytes, scope);
      expect([changed, Buffer.compare(after, bytes)]).toEqual([false, 0]);
    }
  });
});

test("a directory that says millions of tables is read within the file alone", async () => {
  const { bytes } = buildSparse(MIXED);
  bytes.writeBigUInt64LE(BigInt(2 ** 21 * 512 * 8), 12);
  await expect(open(bytes)).rejects.toMatchObject({ kind: "out-of-bounds" });
});
