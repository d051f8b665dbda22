/** `compact`: the same guest in a shorter file, once; and what it can do nothing for. */

import { expect, test } from "vitest";
import { compact } from "../../../src/convert/compact.ts";
import { convert } from "../../../src/convert/convert.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { ImageError } from "../../../src/index.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { testHost } from "../../support/crash-scenario.ts";

const KiB = 1024;

/** 1 MiB of disk, data in its last quarter alone, in a qcow2 that is as long as the disk. */
async function loose(): Promise<MemoryVolume> {
  const bytes = new Uint8Array(1024 * KiB);
  bytes.fill(7, 768 * KiB);
  const volume = new MemoryVolume({ disk: bytes });
  const options = { format: "raw", compact: false, options: { cluster_size: "4k" } };
  await convert("disk", "qcow2", options, testHost(volume));
  return volume;
}

test("what is free goes, the guest stays, and a second time there is nothing to do", async () => {
  const volume = await loose();
  const before = await checksum("disk", {}, volume);
  const size = volume.snapshot("disk").length;
  const report = await compact("disk", {}, testHost(volume));
  expect(report).toMatchObject({
    sourceFormat: "qcow2",
    targetFormat: "qcow2",
    changed: true,
    path: [{ step: "rearrange", goal: "compact" }],
    check: { after: { corruptions: 0, leaks: 0 } },
  });
  expect(size).toBeGreaterThan(1024 * KiB);
  expect(report.fileSizeAfter).toBe(volume.snapshot("disk").length);
  expect(report.fileSizeAfter).toBeLessThan(300 * KiB);
  expect((await checksum("disk", {}, volume)).checksum).toBe(before.checksum);
  expect(Object.keys(volume.snapshots())).toEqual(["disk"]);

  const after = volume.snapshot("disk");
  expect(await compact("disk", { format: "qcow2" }, testHost(volume))).toMatchObject({ changed: false, path: [] });
  expect(volume.snapshot("disk")).toEqual(after);
});

test("a QED's leaks go", async () => {
  const volume = new MemoryVolume({ disk: buildQedImage({ virtualSize: 16384, data: [0], leaks: 2 }).bytes });
  const size = volume.snapshot("disk").length;
  expect(await compact("disk", {}, testHost(volume))).toMatchObject({ changed: true, targetFormat: "qed" });
  expect(volume.snapshot("disk").length).toBe(size - 2 * 4 * KiB);
});

test("a disk in one piece has nothing to give back, and is not touched", async () => {
  const volume = new MemoryVolume({ disk: new Uint8Array(1024 * KiB) });
  await expect(compact("disk", { format: "raw" }, testHost(volume))).rejects.toMatchObject({
    kind: "unsupported",
    message: expect.stringContaining("Cannot compact disk: inside a raw image nothing can be moved"),
  });
  await expect(compact("disk", {}, testHost(volume))).rejects.toBeInstanceOf(ImageError);
  await convert("disk", "vpc", { format: "raw", options: { subformat: "fixed" } }, testHost(volume));
  await expect(compact("disk", {}, testHost(volume))).rejects.toThrow("inside a vpc image");
  expect(Object.keys(volume.snapshots())).toEqual(["disk"]);
});
