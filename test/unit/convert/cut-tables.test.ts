/** Files that end inside a cluster of their tables, as other programs leave them. */

import { expect, it } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

it("a qcow2 that ends inside its last table is converted, its guest unchanged", async () => {
  const { bytes, guest } = buildQedImage({ virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 39], zero: [3, 20] });
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const options = { options: { cluster_size: "4k" } };
  const { guestChecksum } = await convert(IMAGE_PATH, "qcow2", options, testHost(volume));
  const whole = volume.snapshot(IMAGE_PATH);
  // The refcount table comes last and is zeros but for its first entry.
  const length = whole.length - 2000;
  expect(whole.subarray(length).every((byte) => byte === 0)).toBe(true);
  const cut = new MemoryVolume({ [IMAGE_PATH]: whole.subarray(0, length) });
  const report = await convert(IMAGE_PATH, "qed", options, testHost(cut));
  expect(report.changed).toBe(true);
  expect(report.guestChecksum?.after).toBe(guestChecksum?.before);
  expect(report.virtualSize).toBe(guest.length);
});

it("a qcow2 that ends inside a table of its mapping is refused", async () => {
  const { bytes } = buildQedImage({ virtualSize: 40 * 4096, data: [0, 1, 5] });
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
  const whole = volume.snapshot(IMAGE_PATH);
  // Ours lie in this order past the data: L2, L1, refcount block, refcount table; each of one cluster here.
  const cut = new MemoryVolume({ [IMAGE_PATH]: whole.subarray(0, whole.length - 3 * 4096 - 512) });
  await expect(convert(IMAGE_PATH, "qed", {}, testHost(cut))).rejects.toMatchObject({ kind: "corrupt" });
});
