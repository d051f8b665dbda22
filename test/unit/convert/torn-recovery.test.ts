/**
 * Small clusters put guest data beside the header, in the 4 KiB that a power cut may take from the medium: what a guest
 * wrote there since is in the journal before a recovery writes to them.
 */

import { describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { GuestReader } from "../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { HostCluster, Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
import { UnreadableVolume } from "../../support/unreadable-storage.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const source = new Qcow2Bytes({ clusterBits: 9, dataClusters: 8, virtualSize: 16 * 512 });
/** Inside the block around the commit. */
const place = source.hostOffset(HostCluster.data);

/** The power goes while the first sector is written, and with it what the drive has in the block. */
class PowerlessVolume extends WrappedVolume {
  protected override wrap(storage: ConstructorParameters<typeof WrappedStorage>[0]): WrappedStorage {
    const wrapped = new WrappedStorage(storage);
    if (storage.path === IMAGE_PATH) {
      wrapped.write = async () => {
        throw new Error("the power is gone");
      };
    }
    return wrapped;
  }
}

async function tornIn(command: typeof resume, files: Readonly<Record<string, Uint8Array>>): Promise<UnreadableVolume> {
  const volume = new MemoryVolume(files);
  await expect(command(IMAGE_PATH, {}, testHost(new PowerlessVolume(volume)))).rejects.toThrow(/power is gone/);
  const image = Buffer.from(volume.snapshot(IMAGE_PATH)).fill(0xff, 0, 4096);
  const { [journalNamesOf(IMAGE_PATH).lock]: _, ...left } = volume.snapshots();
  return new UnreadableVolume(new MemoryVolume({ ...left, [IMAGE_PATH]: image }), IMAGE_PATH);
}

async function guestByte(volume: UnreadableVolume, guestOffset: number): Promise<number | undefined> {
  const guest = new Uint8Array(1);
  const storage = await volume.openForReading(IMAGE_PATH);
  const bytes = new Uint8Array(await storage.size());
  await storage.read(0, bytes);
  await new GuestReader(await openGuestView([await openImage(memoryStorage(bytes))])).read(guestOffset, guest);
  return guest[0];
}

const STATES = [
  ["before the commit", () => cutAtCommit(source.bytes, "qed", {}, "prepared")],
  [
    "with the undo kept",
    async () => {
      const volume = new MemoryVolume({ [IMAGE_PATH]: source.bytes });
      await convert(IMAGE_PATH, "qcow2", { options: { refcount_bits: "8" }, keepUndo: true }, testHost(volume));
      return volume.snapshots();
    },
  ],
] as const;

describe.each(STATES)("%s", (_, made) => {
  test.each([
    [resume, resume],
    [resume, rollback],
    [rollback, resume],
    [rollback, rollback],
  ])("%o cut off, then %o: the guest's write stays", async (first, second) => {
    const files = await made();
    const booted = Buffer.from(files[IMAGE_PATH] as Uint8Array).fill(0x77, place + 100, place + 101);
    const torn = await tornIn(first, { ...files, [IMAGE_PATH]: booted });
    await second(IMAGE_PATH, {}, testHost(torn));
    expect(await guestByte(torn, 100)).toBe(0x77);
  });
});
