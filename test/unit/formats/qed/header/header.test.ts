import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MiB } from "../../../../../src/bytes/align.ts";
import { ImageError } from "../../../../../src/bytes/image-error.ts";
import { flagsOf } from "../../../../../src/bytes/struct.ts";
import { QED_MAGIC, QedHeaderFields, readQedHeader } from "../../../../../src/formats/qed/header/header.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import type { Storage } from "../../../../../src/storage/storage.ts";
import { buildQedImage, type QedImageDescription } from "../../../../formats/qed/builder.ts";

const PLAIN = { virtualSize: 1 << 20, data: [0] };

function changed(description: Partial<QedImageDescription>, change: (view: DataView) => void): Uint8Array {
  const { bytes } = buildQedImage({ ...PLAIN, ...description });
  change(new DataView(bytes.buffer));
  return bytes;
}

async function refusalOf(bytes: Uint8Array): Promise<ImageError> {
  const error = await readQedHeader(memoryStorage(bytes)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ImageError);
  return error as ImageError;
}

describe("QED header", () => {
  it("round-trips every field", () => {
    const u64 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const u32 = fc.integer({ min: 0, max: 0xffffffff });
    const flags = fc.record({ high: u32, low: u32 });
    const headers = fc.record({
      magic: fc.constant(QED_MAGIC),
      clusterSize: u32,
      tableSize: u32,
      headerSize: u32,
      features: flags,
      compatibleFeatures: flags,
      autoclearFeatures: flags,
      l1TableOffset: u64,
      imageSize: u64,
      backingNameOffset: u32,
      backingNameSize: u32,
    });
    fc.assert(
      fc.property(headers, (values) => {
        const bytes = new Uint8Array(64);
        QedHeaderFields.encode(values, bytes);
        expect(QedHeaderFields.parse(bytes)).toEqual(values);
      }),
    );
  });

  it("reads what the image says", async () => {
    const { bytes, l1Offset } = buildQedImage({
      ...PLAIN,
      headerSize: 2,
      tableSize: 4,
      tail: 100,
      backingName: "base",
      backingNameAt: 5000,
      backingIsRaw: true,
      compatFeatures: 1n << 33n,
    });
    const header = await readQedHeader(memoryStorage(bytes));
    expect(header).toMatchObject({
      virtualSize: 1 << 20,
      clusterSize: 4096,
      tableBytes: 16384,
      entryCount: 2048,
      headerBytes: 8192,
      l1Offset,
      fileSize: bytes.length,
      clusterCount: (bytes.length - 100) / 4096,
    });
    expect(header.values.features).toEqual(flagsOf(0, 2));
    expect(header.values.compatibleFeatures).toEqual(flagsOf(33));
    expect(Buffer.from(header.backingName ?? []).toString()).toBe("base");
  });

  it.each([1, 2, 4, 8, 16])("takes table_size %i", async (tableSize) => {
    const { bytes } = buildQedImage({ ...PLAIN, tableSize });
    expect((await readQedHeader(memoryStorage(bytes))).entryCount).toBe(tableSize * 512);
  });

  it("takes clusters of 64 MiB, as the specification allows", async () => {
    const { bytes } = buildQedImage({ virtualSize: MiB });
    const view = new DataView(bytes.buffer);
    view.setUint32(4, 64 * MiB, true);
    view.setBigUint64(40, BigInt(64 * MiB), true);
    const sparse: Storage = { ...memoryStorage(bytes), path: "sparse", size: async () => 256 * MiB } as Storage;
    sparse.read = async (hostOffset, into) => {
      into.fill(0);
      if (hostOffset < bytes.length) into.set(bytes.subarray(hostOffset, hostOffset + into.length));
      return into.length;
    };
    expect((await readQedHeader(sparse)).clusterCount).toBe(4);
  });

  it("takes an empty backing name for none, as QEMU does", async () => {
    const { bytes } = buildQedImage({ ...PLAIN, backingName: "" });
    expect((await readQedHeader(memoryStorage(bytes))).backingName).toBeUndefined();
  });

  const set32 = (at: number, value: number) => (view: DataView) => view.setUint32(at, value, true);
  const set64 = (at: number, value: bigint) => (view: DataView) => view.setBigUint64(at, value, true);
  const named = { backingName: "base" };
  it.each<[string, Uint8Array, string, string]>([
    ["no magic", changed({}, set32(0, 0)), "not-this-format", "does not begin with the magic"],
    ["a cut header", buildQedImage(PLAIN).bytes.slice(0, 63), "out-of-bounds", "Cannot read the QED header"],
    ["clusters below 4 KiB", changed({}, set32(4, 2048)), "corrupt", "cluster size 2048 is no power of two"],
    ["clusters above 64 MiB", changed({}, set32(4, 128 * MiB)), "corrupt", "cluster size 134217728"],
    ["odd clusters", changed({}, set32(4, 12288)), "corrupt", "cluster size 12288"],
    ["table size 0", changed({}, set32(8, 0)), "corrupt", "table size 0 is none of"],
    ["table size 3", changed({}, set32(8, 3)), "corrupt", "table size 3 is none of"],
    ["table size 32", changed({}, set32(8, 32)), "corrupt", "table size 32 is none of"],
    ["header size 0", changed({}, set32(12, 0)), "corrupt", "header size 0"],
    [
      "header past the end",
      changed({}, set32(12, 0xffffffff)),
      "corrupt",
      "header of 17592186040320 bytes ends outside",
    ],
    ["size no multiple of 512", changed({}, set64(48, 1000n)), "corrupt", "image size 1000 is no multiple of 512"],
    ["size beyond the tables", changed({}, set64(48, (1n << 32n) + 512n)), "corrupt", "beyond its tables' 4294967296"],
    ["size beyond 2^53", changed({}, set64(48, 1n << 60n)), "corrupt", "imageSize of the QED header"],
    [
      "an unknown feature",
      changed({ features: 1n << 3n }, () => {}),
      "unsupported",
      "feature bit 3 is unknown; a QEMU as new as the image may know it",
    ],
    ["a high unknown feature", changed({ features: 1n << 63n }, () => {}), "unsupported", "feature bit 63 is"],
    ["two of them", changed({ features: 9n << 3n }, () => {}), "unsupported", "feature bits 3, 6 are unknown; a QEMU"],
    ["L1 unaligned", changed({}, set64(40, 4608n)), "corrupt", "0x1200 of the L1 table is not aligned"],
    ["L1 past the end", changed({}, set64(40, 1n << 40n)), "corrupt", "0x10000000000 of the L1 table lies outside"],
    ["L1 half past the end", changed({}, set64(40, 20480n)), "corrupt", "L1 table lies outside the file"],
    ["L1 in the header", changed({ headerSize: 2 }, set64(40, 4096n)), "corrupt", "or in the header"],
    ["L1 at 0", changed({}, set64(40, 0n)), "corrupt", "or in the header"],
    [
      "a name past the header",
      changed(named, set32(56, 4093)),
      "corrupt",
      "backing name of 4 bytes at host offset 0xffd",
    ],
    ["a name on the header", changed(named, set32(56, 62)), "corrupt", "0x3e lies outside the header"],
    ["an endless name", changed(named, set32(60, 0xfffffff0)), "corrupt", "lies outside the header"],
    ["a name QEMU cuts off", changed({ backingName: "n".repeat(1024) }, () => {}), "unsupported", "longer than 1023"],
  ])("refuses %s", async (_what, bytes, kind, message) => {
    const error = await refusalOf(bytes);
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/\.$/);
  });

  it("refuses a file of more clusters than any table reaches", async () => {
    const { bytes } = buildQedImage(PLAIN);
    const storage = memoryStorage(bytes);
    storage.size = async () => 2 ** 30 * 4096 + 4096;
    await expect(readQedHeader(storage)).rejects.toThrow("1073741825 clusters, more than 1073741824");
  });
});
