/** A guest wrote between a cut and the recovery: what it wrote stays, also where that recovery fails on its own. */

import { expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { extentAt, findRow } from "../../../src/image/extent.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
import { guestOf } from "../../support/lying-trial.ts";
import { LyingVolume } from "../../support/lying-volume.ts";
import { cutAfter } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

const CLUSTER = 4096;

async function writeInPlace(bytes: Uint8Array, guestOffset: number, value: number): Promise<Uint8Array> {
  const extents = await (await openImage(memoryStorage(bytes))).getMapping();
  const row = extentAt(extents, findRow(extents, guestOffset));
  const hostOffset = row.hostOffset + guestOffset - row.guestOffset;
  const written = new Uint8Array(Math.max(bytes.length, hostOffset + 1));
  written.set(bytes);
  written[hostOffset] = value;
  return written;
}

test("resume whose verification fails does not put back what a guest's snapshots depend on", async () => {
  const { bytes } = buildQcow2Image({ clusterBits: 12, snapshot: true });
  const files = await cutAtCommit(new Uint8Array(bytes), "qed", { drop: ["snapshots"] }, "committed");
  const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 100, 0x99);
  const guest = await guestOf(booted);
  let failed = 0;
  for (let turn = 0; turn < 60; turn++) {
    const memory = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
    let count = 0;
    const lying = new LyingVolume(memory, IMAGE_PATH, {
      read(hostOffset, read) {
        // Of what was added, one read shows its first entries as nothing.
        if (hostOffset + read.length > bytes.length && count++ === turn) read.fill(0, 0, Math.min(64, read.length));
      },
    });
    const error = await resume(IMAGE_PATH, {}, testHost(lying)).catch((thrown: unknown) => thrown);
    if (error instanceof ImageError) {
      failed++;
      expect(error.rolledBack, `read ${turn}`).toBe(false);
    }
    expect(await guestOf(memory.snapshot(IMAGE_PATH)), `read ${turn}`).toBe(guest);
  }
  expect(failed).toBeGreaterThan(0);
});

test("a repair that was cut off before it was prepared: what it added is cut, what a guest wrote past the old end is not", async () => {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeBigUInt64BE(0n, at.refcountTable);
  const damaged = new Uint8Array(bytes.subarray(0, bytes.length - CLUSTER / 2));
  const recording = new RecordingVolume({ [IMAGE_PATH]: damaged });
  await check(IMAGE_PATH, { repair: "all" }, testHost(recording));
  // The first sync of the image makes what was added durable.
  const added = recording.operations.findIndex((one) => one.kind === "sync" && one.path === IMAGE_PATH) + 1;
  const files = cutAfter(recording.log, added).sample("all-new", seededRandom(1));
  expect((files[IMAGE_PATH] as Uint8Array).length).toBeGreaterThan(damaged.length);
  const undisturbed = new MemoryVolume(files);
  await rollback(IMAGE_PATH, {}, testHost(undisturbed));
  expect(Buffer.compare(undisturbed.snapshot(IMAGE_PATH), damaged)).toBe(0);

  const booted = await writeInPlace(files[IMAGE_PATH] as Uint8Array, 2 * CLUSTER - 10, 0x55);
  for (const wish of [resume, rollback]) {
    const memory = new MemoryVolume({ ...files, [IMAGE_PATH]: booted });
    await wish(IMAGE_PATH, {}, testHost(memory));
    expect(await guestOf(memory.snapshot(IMAGE_PATH))).toBe(await guestOf(booted));
  }
});

test("a repair whose undo was given up is not undone, whatever of its journal is left", async () => {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeUInt16BE(7, at.refcountBlock + (at.l2 / at.clusterSize) * 2);
  const recording = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(bytes) });
  await check(IMAGE_PATH, { repair: "all" }, testHost(recording));
  const last = recording.operations.findLastIndex((one) => one.kind === "sync" && one.path !== IMAGE_PATH) + 1;
  const memory = new MemoryVolume(cutAfter(recording.log, last).sample("all-new", seededRandom(1)));
  await expect(rollback(IMAGE_PATH, {}, testHost(memory))).rejects.toMatchObject({ kind: "unsupported" });
  expect(Buffer.compare(memory.snapshot(IMAGE_PATH), recording.memory.snapshot(IMAGE_PATH))).toBe(0);
  await resume(IMAGE_PATH, {}, testHost(memory));
  expect(Object.keys(memory.snapshots())).toEqual([IMAGE_PATH]);
});
