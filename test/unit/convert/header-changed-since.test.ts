/** Between two commands somebody gave the source's header another backing name: what it says then stays. */

import { describe, expect, test } from "vitest";
import { resume, rollback } from "../../../src/convert/recovery.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
import { buildQedImage } from "../../support/qed-image.ts";

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
