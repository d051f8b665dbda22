/** How long a plan says that the file will be, at most, against how long it is then. */

import { expect, test } from "vitest";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/index.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { testHost } from "../../../support/crash-scenario.ts";

const MiB = 1024 * 1024;

test.each<[string, string, ConvertOptions]>([
  ["compacted", "qcow2", { options: { cluster_size: "4k" } }],
  ["compressed, then compacted", "qcow2", { options: { cluster_size: "4k" }, compress: true }],
  ["a fixed VHD by way of raw", "vpc", { options: { subformat: "fixed" } }],
])("%s", async (_name, format, options) => {
  // No run of zeros, so that a plan knows all that is stored; no whole MiB, so that a VHD grows.
  const volume = new MemoryVolume({ disk: new Uint8Array(MiB - 512).fill(7) });
  if (format === "vpc") await convert("disk", "qcow2", { format: "raw" }, testHost(volume));
  const asked = { ...options, ...(format !== "vpc" && { format: "raw" }) };
  const { report } = await plan("disk", format, asked, testHost(volume));
  const { fileSizeAfter, virtualSize } = await convert("disk", format, asked, testHost(volume));
  expect(report.virtualSize).toBe(virtualSize);
  expect(fileSizeAfter).toBeLessThanOrEqual(report.fileSizeAfter);
  if (format === "vpc") expect(report.fileSizeAfter).toBe(fileSizeAfter);
  else expect(report.fileSizeAfter).toBeLessThan(1.2 * MiB);
});
