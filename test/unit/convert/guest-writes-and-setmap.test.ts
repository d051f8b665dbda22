/** `setmap` gives one cluster up and takes another: what a guest writes to either, while a command is open, stays. */

import { describe, expect, test } from "vitest";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { GuestReader } from "../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import type { Volume } from "../../../src/storage/storage.ts";
import { HostCluster, Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-conversion.ts";

const DATA = 4;
const LAST = HostCluster.data + DATA;

/** The last guest cluster lies last, and its zeros at the end are not stored; the cluster before it is a leak. */
function shortImage(): { readonly bytes: Uint8Array; readonly made: Qcow2Bytes } {
  const made = new Qcow2Bytes({ dataClusters: DATA, spareClusters: 1 }).setRefcount(LAST, 1);
  made.set64(made.l2Entry(DATA - 1), (1n << 63n) | BigInt(made.hostOffset(LAST)));
  const start = made.hostOffset(LAST);
  made.bytes.fill(0x44, start, start + 512);
  return { bytes: made.bytes.subarray(0, start + 1024), made };
}

describe.each([
  ["resume", resume],
  ["rollback", rollback],
] as const)("%s of a setmap before its commit", (_, recover) => {
  test("keeps what a guest wrote past the old end of file", async () => {
    const { bytes, made } = shortImage();
    const range = [(DATA - 1) * made.clusterSize, made.hostOffset(LAST - 1), made.clusterSize] as const;
    const run = (volume: Volume) => setmap(IMAGE_PATH, ...range, {}, testHost(volume));
    const files = await cutAtCommit({ [IMAGE_PATH]: bytes }, run, "prepared");
    const written = Buffer.from(files[IMAGE_PATH] as Uint8Array);
    const at = made.hostOffset(LAST) + 3000;
    written.fill(0x77, at, at + 512);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: written });
    await recover(IMAGE_PATH, {}, testHost(volume));
    const found = volume.snapshot(IMAGE_PATH).subarray(at, at + 512);
    expect(Buffer.compare(found, Buffer.alloc(512, 0x77))).toBe(0);
  });
});

describe("a setmap that was committed and not verified", () => {
  const made = new Qcow2Bytes({ dataClusters: DATA, spareClusters: 1 }).setRefcount(LAST, 1);
  const place = made.hostOffset(LAST);
  const run = (volume: Volume) => setmap(IMAGE_PATH, 0, place, made.clusterSize, {}, testHost(volume));
  const committed = () => cutAtCommit({ [IMAGE_PATH]: made.bytes }, run, "committed");

  test("is rolled back while nobody wrote", async () => {
    const volume = new MemoryVolume(await committed());
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), made.bytes)).toBe(0);
  });

  test("is not rolled back once a guest wrote where it points now", async () => {
    const files = await committed();
    const written = Buffer.from(files[IMAGE_PATH] as Uint8Array);
    written.fill(0x77, place + 512, place + 1024);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: written });
    await expect(rollback(IMAGE_PATH, {}, testHost(volume))).rejects.toThrow(/since; nothing was touched/);
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), written)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(await guestByte(volume, 512)).toBe(0x77);
  });
});

async function guestByte(volume: MemoryVolume, guestOffset: number): Promise<number | undefined> {
  const guest = new Uint8Array(1);
  const image = await openImage(memoryStorage(volume.snapshot(IMAGE_PATH)));
  await new GuestReader(await openGuestView([image])).read(guestOffset, guest);
  return guest[0];
}
