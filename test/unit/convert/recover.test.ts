/** Recovery where the image was used in between, or where the command before was told odd things. */

import { describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { extentAt, findRow } from "../../../src/image/extent.ts";
import { GuestReader } from "../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQedImage, type QedImageDescription, setEntry } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
import { failureOf } from "../../support/failure-of.ts";
import { eachCut } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";
import { UnreadableVolume } from "../../support/unreadable-storage.ts";

const CLUSTER = 4096;
const SPARSE: QedImageDescription = {
  clusterSize: CLUSTER,
  tableSize: 2,
  virtualSize: 40 * CLUSTER,
  data: [0, 1, 5, 9, 17, 39],
};
const NAMES = journalNamesOf(IMAGE_PATH);

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** Where a guest's byte lies in the file. */
async function hostOffsetOf(bytes: Uint8Array, guestOffset: number): Promise<number> {
  const extents = await (await openImage(memoryStorage(bytes))).getMapping();
  const row = extentAt(extents, findRow(extents, guestOffset));
  return row.hostOffset + guestOffset - row.guestOffset;
}

/** What a guest does that writes to a cluster that the QED image does not hold yet: it goes to the end of the file. */
function bootQed(bytes: Uint8Array, l2Offset: number, guestCluster: number, fill: number): Uint8Array {
  const end = Math.ceil(bytes.length / CLUSTER) * CLUSTER;
  const grown = new Uint8Array(end + CLUSTER);
  grown.set(bytes);
  grown.fill(fill, end);
  setEntry(new DataView(grown.buffer), l2Offset, guestCluster, end);
  return grown;
}

describe("a header that only looks half written", () => {
  test("QEMU cleared an unknown autoclear bit of the source before the commit: its guest's writes stay", async () => {
    const built = buildQedImage({ ...SPARSE, autoclearFeatures: 1n << 7n });
    const files = await cutAtCommit(built.bytes, "qcow2", {}, "prepared");
    const booted = bootQed(files[IMAGE_PATH] as Uint8Array, built.l2Offsets.get(0) as number, 3, 0x77);
    booted[32] = 0;
    const guest = await guestOf(booted);
    for (const wish of [resume, rollback]) {
      const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
      await wish(IMAGE_PATH, {}, testHost(volume)).catch(() => {});
      expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
    }
  });

  test("a short write on the way back is mended, and either command ends where it should", async () => {
    const built = buildQedImage(SPARSE);
    const files = await cutAtCommit(built.bytes, "qcow2", {}, "committed");
    for (const length of [1, 8, 41, 80]) {
      const torn = (files[IMAGE_PATH] as Uint8Array).slice();
      torn.set(built.bytes.subarray(0, length));
      for (const [wish, format] of [[resume, "qcow2"] as const, [rollback, "qed"] as const]) {
        const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: torn });
        expect(await wish(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ format, sourceFormat: "qed" });
        expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
      }
    }
  });

  test("a short write of the commit is mended, and either command ends where it should", async () => {
    const built = buildQedImage(SPARSE);
    const files = await cutAtCommit(built.bytes, "qcow2", {}, "committed");
    for (const length of [1, 8, 80, 300, 511]) {
      const torn = (files[IMAGE_PATH] as Uint8Array).slice();
      torn.set(built.bytes.subarray(length, 512), length);
      for (const [wish, format] of [[resume, "qcow2"] as const, [rollback, "qed"] as const]) {
        const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: torn });
        expect((await wish(IMAGE_PATH, {}, testHost(volume))).format).toBe(format);
        expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
        expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
      }
    }
  });
});

describe("a header that can't be read any more goes to the side that was used", () => {
  /** Units that moved, so that the target has copies of its own. */
  const options: ConvertOptions = { options: { cluster_size: "16k" }, keepUndo: true };

  test("a guest wrote to the target: rollback refuses, resume keeps what it wrote", async () => {
    const undone = new MemoryVolume({ [IMAGE_PATH]: buildQedImage(SPARSE).bytes });
    await convert(IMAGE_PATH, "qcow2", options, testHost(undone));
    const used = undone.snapshot(IMAGE_PATH);
    used.fill(0x77, await hostOffsetOf(used, CLUSTER), (await hostOffsetOf(used, CLUSTER)) + 512);
    const guest = await guestOf(used);

    const recording = new RecordingVolume({ ...undone.snapshots(), [IMAGE_PATH]: used });
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(new UnreadableVolume(recording, IMAGE_PATH))));
    expect(error.kind).toBe("changed-underneath");
    expect(Buffer.compare(await guestOf(recording.memory.snapshot(IMAGE_PATH)), guest)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(recording));
    expect(Buffer.compare(await guestOf(recording.memory.snapshot(IMAGE_PATH)), guest)).toBe(0);
  });

  test("a guest wrote to the source, everything being prepared: resume plans anew with it", async () => {
    const built = buildQedImage(SPARSE);
    const files = await cutAtCommit(built.bytes, "qcow2", {}, "prepared");
    const booted = bootQed(files[IMAGE_PATH] as Uint8Array, built.l2Offsets.get(0) as number, 3, 0x77);
    const guest = await guestOf(booted);
    const recording = new RecordingVolume({ ...files, [IMAGE_PATH]: booted });
    const { format } = await resume(IMAGE_PATH, {}, testHost(new UnreadableVolume(recording, IMAGE_PATH)));
    expect(format).toBe("qcow2");
    expect(Buffer.compare(await guestOf(recording.memory.snapshot(IMAGE_PATH)), guest)).toBe(0);
  });

  test("both sides were changed: nothing is touched, and the error says so", async () => {
    const built = buildQedImage(SPARSE);
    const files = await cutAtCommit(built.bytes, "qcow2", options, "prepared");
    const booted = bootQed(files[IMAGE_PATH] as Uint8Array, built.l2Offsets.get(0) as number, 3, 0x77);
    booted.fill(0x66, booted.length - 3 * CLUSTER, booted.length - CLUSTER);
    const recording = new RecordingVolume({ ...files, [IMAGE_PATH]: booted });
    for (const wish of [resume, rollback]) {
      const error = await failureOf(wish(IMAGE_PATH, {}, testHost(new UnreadableVolume(recording, IMAGE_PATH))));
      expect(error.kind).toBe("changed-underneath");
      expect(error.journal).toBeDefined();
      expect(Buffer.compare(recording.memory.snapshot(IMAGE_PATH), booted)).toBe(0);
    }
  });
});

test("a guest wrote where its data lay after the commit: resume finishes with what it wrote", async () => {
  const files = await cutAtCommit(buildQedImage(SPARSE).bytes, "qcow2", {}, "committed");
  const used = (files[IMAGE_PATH] as Uint8Array).slice();
  const hostOffset = await hostOffsetOf(used, 5 * CLUSTER);
  used.fill(0x77, hostOffset, hostOffset + 512);
  const guest = await guestOf(used);
  const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used });
  expect((await resume(IMAGE_PATH, {}, testHost(volume))).format).toBe("qcow2");
  expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
});

/** The files at the moment when the undo has just been given up. */
async function undoGivenUp(convertIt: (volume: RecordingVolume) => Promise<unknown>, image: Uint8Array) {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await convertIt(volume);
  let isCommitted = false;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    if (last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0) isCommitted = true;
    if (isCommitted && last?.kind === "sync" && last.path !== IMAGE_PATH) return cut.sample("all-new", seededRandom(1));
  }
  throw new Error("the undo was never given up");
}

describe("the way back once the undo was given up", () => {
  test("a layout that can be read but not written becomes the format's own choice", async () => {
    const built = buildQedImage({ clusterSize: 8 << 20, tableSize: 1, virtualSize: 32 << 20, data: [1] });
    const files = await undoGivenUp((volume) => convert(IMAGE_PATH, "qcow2", {}, testHost(volume)), built.bytes);
    const volume = new MemoryVolume(files);
    expect((await rollback(IMAGE_PATH, {}, testHost(volume))).format).toBe("qed");
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("through a journal elsewhere, from an undo: no pointer is left behind", async () => {
    const elsewhere = "/vm/elsewhere/journal";
    const kept = new MemoryVolume({ [IMAGE_PATH]: buildQedImage(SPARSE).bytes });
    await convert(IMAGE_PATH, "qcow2", { journal: elsewhere, keepUndo: true }, testHost(kept));
    expect(kept.has(NAMES.undo)).toBe(true);
    const volume = new RecordingVolume(kept.snapshots());
    await resume(IMAGE_PATH, {}, testHost(volume));
    let trials = 0;
    for (const { cut } of eachCut(volume.log)) {
      const again = new MemoryVolume(cut.sample("all-new", seededRandom(1)));
      await rollback(IMAGE_PATH, {}, testHost(again)).catch((error: Error) =>
        expect(error.message).toMatch(/Nothing to/),
      );
      expect(Object.keys(again.snapshots()).filter((path) => path !== IMAGE_PATH && path !== elsewhere)).toEqual([]);
      trials++;
    }
    expect(trials).toBeGreaterThan(3);
  });

  test("setmap's old mapping is gone: rollback says so, resume finishes", async () => {
    const built = buildQedImage({ ...SPARSE, leaks: 1 });
    const leak = built.bytes.length - CLUSTER;
    const files = await undoGivenUp(
      (volume) => setmap(IMAGE_PATH, 3 * CLUSTER, leak, CLUSTER, {}, testHost(volume)),
      built.bytes,
    );
    const volume = new MemoryVolume(files);
    const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(volume)));
    expect(error.journal).toBe(NAMES.journal);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect((await guestOf(volume.snapshot(IMAGE_PATH)))[3 * CLUSTER]).toBe(0xee);
  });
});

test("a target that a crashed guest left dirty after the undo was given up is not settled", async () => {
  const qcow2 = new MemoryVolume({ [IMAGE_PATH]: buildQedImage(SPARSE).bytes });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(qcow2));
  const volume = new RecordingVolume({ [IMAGE_PATH]: qcow2.snapshot(IMAGE_PATH) });
  await convert(IMAGE_PATH, "qed", {}, testHost(volume));
  let isCommitted = false;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    isCommitted ||= last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0;
    if (!isCommitted || last?.kind !== "sync" || last.path === IMAGE_PATH) continue;
    const state = cut.sample("all-new", seededRandom(1));
    const image = state[IMAGE_PATH] as Uint8Array;
    // NEED_CHECK, bit 1 of the features at byte 16.
    image[16] = (image[16] as number) | 2;
    const dirty = new RecordingVolume(state);
    await expect(resume(IMAGE_PATH, {}, testHost(dirty))).rejects.toMatchObject({
      kind: "corrupt",
      journal: NAMES.journal,
    });
    expect(Buffer.compare(dirty.memory.snapshot(IMAGE_PATH), image)).toBe(0);
    return;
  }
  throw new Error("the undo was never given up");
});
