/** Between two commands somebody rewrote the header: what it says then stays, and tells how to go on. */

import { describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";

const NAME_AT = 64;
const NAME_SIZE_AT = 60;

/** As `qemu-img rebase -u` writes it: the header's size of the name, and the name over the old one. */
function rebased(bytes: Uint8Array, name: string): Uint8Array {
  const image = Buffer.from(bytes);
  expect(image.readUInt32LE(NAME_SIZE_AT - 4)).toBe(NAME_AT);
  image.writeUInt32LE(name.length, NAME_SIZE_AT);
  image.write(name, NAME_AT, "latin1");
  return image;
}

async function backingOf(bytes: Uint8Array): Promise<string> {
  const { backing } = (await openImage(memoryStorage(bytes))).getConversionOptions();
  return Buffer.from(backing?.nameBytes ?? []).toString("latin1");
}

describe("a longer backing name, where the commit's extras were put", () => {
  const source = buildQedImage({
    virtualSize: 1 << 20,
    data: [0, 2],
    backingName: "a".repeat(420),
    backingIsRaw: true,
  });
  const name = "b".repeat(700);

  test("is kept by resume", async () => {
    const files = await cutAtCommit(source.bytes, "qcow2", {}, "prepared");
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: rebased(files[IMAGE_PATH] as Uint8Array, name) });
    expect(await backingOf(volume.snapshot(IMAGE_PATH))).toBe(name);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(await backingOf(volume.snapshot(IMAGE_PATH))).toBe(name);
  });

  test("makes rollback refuse", async () => {
    const files = await cutAtCommit(source.bytes, "qcow2", {}, "prepared");
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: rebased(files[IMAGE_PATH] as Uint8Array, name) });
    await expect(rollback(IMAGE_PATH, {}, testHost(volume))).rejects.toThrow(/header was rewritten/);
    expect(await backingOf(volume.snapshot(IMAGE_PATH))).toBe(name);
  });
});

describe("a conversion that keeps the format, and a header that was rewritten since", () => {
  const { bytes } = new Qcow2Bytes({ dataClusters: 4 });
  const LAZY_REFCOUNTS = 1;
  const UNKNOWN = 1 << 7;

  /** As a writer leaves it that sets a compatible bit; with `entryAt` it also marked an entry of its tables. */
  function used(image: Uint8Array, bit: number, entryAt?: number): Uint8Array {
    const written = Buffer.from(image);
    written.writeUInt32BE(bit, 84);
    if (entryAt !== undefined) written.writeUInt32BE(written.readUInt32BE(entryAt) & 0x7fffffff, entryAt);
    return written;
  }

  async function withUndo(): Promise<Record<string, Uint8Array>> {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    await convert(IMAGE_PATH, "qcow2", { options: { cluster_size: "8192" }, keepUndo: true }, testHost(volume));
    return volume.snapshots();
  }

  const clusterBitsOf = (volume: MemoryVolume) => Buffer.from(volume.snapshot(IMAGE_PATH)).readUInt32BE(20);

  test("the undo was kept: resume settles the target, told by its layout", async () => {
    const files = await withUndo();
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used(files[IMAGE_PATH] as Uint8Array, UNKNOWN) });
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    expect(clusterBitsOf(volume)).toBe(13);
  });

  test("before the commit: resume plans the source anew, told by its layout", async () => {
    const files = await cutAtCommit(bytes, "qcow2", { options: { cluster_size: "8192" } }, "prepared");
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used(files[IMAGE_PATH] as Uint8Array, UNKNOWN) });
    const { message } = await resume(IMAGE_PATH, {}, testHost(volume));
    expect(message).toMatch(/planned anew/);
    expect(clusterBitsOf(volume)).toBe(13);
  });

  test("a layout that is neither's: told by whose tables changed, and not guessed where none did", async () => {
    const files = await withUndo();
    const image = files[IMAGE_PATH] as Uint8Array;
    const unclear = new MemoryVolume({ ...files, [IMAGE_PATH]: used(image, LAZY_REFCOUNTS) });
    await expect(resume(IMAGE_PATH, {}, testHost(unclear))).rejects.toThrow(/Cannot tell how far/);
    const l1 = Number(Buffer.from(image).readBigUInt64BE(40));
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used(image, LAZY_REFCOUNTS, l1) });
    // The missing flag is found by the check that follows: what matters is that it was taken for the target.
    await expect(resume(IMAGE_PATH, {}, testHost(volume))).rejects.toThrow(/Cannot settle/);
  });
});
