/** Commands that write to a qcow2 and keep it one: autoclear bits that nobody knows are gone afterwards, or nothing was written. */

import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { HostCluster, Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

const AUTOCLEAR = 88;
const UNKNOWN = 1n << 5n;

function image(leaks: boolean): Qcow2Bytes {
  const made = new Qcow2Bytes({ spareClusters: 3 }).set64(AUTOCLEAR, UNKNOWN);
  return leaks ? made.setRefcount(HostCluster.data + 5, 1) : made;
}

const volumeWith = ({ bytes }: Qcow2Bytes) => new MemoryVolume({ [IMAGE_PATH]: bytes });
const bitsOf = (volume: MemoryVolume) => Buffer.from(volume.snapshot(IMAGE_PATH)).readBigUInt64BE(AUTOCLEAR);

describe.each(["leaks", "all"] as const)("check -r %s", (repair) => {
  test("clears the bit with the leak; rollback gives the old bytes back", async () => {
    const before = image(true);
    const volume = volumeWith(before);
    const report = await check(IMAGE_PATH, { repair, keepUndo: true }, testHost(volume));
    expect(report).toMatchObject({ changed: true, leaksFixed: 1, verdict: "clean" });
    expect(bitsOf(volume)).toBe(0n);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), before.bytes)).toBe(0);
    await check(IMAGE_PATH, { repair, keepUndo: true }, testHost(volume));
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(bitsOf(volume)).toBe(0n);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("does not give the bit back once a guest wrote, which it may speak of", async () => {
    const before = image(true);
    const volume = volumeWith(before);
    await check(IMAGE_PATH, { repair, keepUndo: true }, testHost(volume));
    const written = Buffer.from(volume.snapshot(IMAGE_PATH)).fill(
      0x77,
      before.hostOffset(HostCluster.data),
      before.hostOffset(HostCluster.data) + 512,
    );
    const booted = new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: written });
    await expect(rollback(IMAGE_PATH, {}, testHost(booted))).rejects.toThrow(
      /autoclear bits.* a guest wrote to its disk since; nothing was touched/,
    );
    expect(Buffer.compare(booted.snapshot(IMAGE_PATH), written)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(booted));
    expect(bitsOf(booted)).toBe(0n);
  });

  test("writes nothing at all where nothing is repaired", async () => {
    const before = image(false);
    const volume = volumeWith(before);
    expect(await check(IMAGE_PATH, { repair }, testHost(volume))).toMatchObject({ changed: false, verdict: "clean" });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), before.bytes)).toBe(0);
  });
});

test("setmap clears the bit with the sector that makes its tables the image's", async () => {
  const before = image(true);
  const volume = volumeWith(before);
  const place = before.hostOffset(HostCluster.data + 5);
  await setmap(IMAGE_PATH, 0, place, before.clusterSize, {}, testHost(volume));
  expect(bitsOf(volume)).toBe(0n);
  expect(await check(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ verdict: "clean" });
});

test("setmap of an image with bitmaps is refused: they would not know of it", async () => {
  const { bytes, at } = buildQcow2Image({ bitmap: true, autoclear: 1n | UNKNOWN });
  const volume = new MemoryVolume({ [IMAGE_PATH]: Buffer.concat([bytes, Buffer.alloc(at.clusterSize)]) });
  const before = volume.snapshot(IMAGE_PATH);
  const refused = setmap(IMAGE_PATH, 0, at.end, at.clusterSize, {}, testHost(volume));
  await expect(refused).rejects.toThrow(/bitmap/);
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: before });
});
