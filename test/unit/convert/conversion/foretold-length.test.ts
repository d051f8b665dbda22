/** How long a plan says that the file will be, at most, against how long it is then. */

import { expect, test } from "vitest";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/index.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { testHost } from "../../../support/crash-scenario.ts";

const MiB = 1024 * 1024;

test.each<[string, string, ConvertOptions]>([
  ["compacted", "qcow2", { compact: true }],
  ["compressed, then compacted", "qcow2", { compress: true }],
  ["a fixed VHD by way of raw, grown to whole MiB", "vpc", { options: { subformat: "fixed" } }],
])("%s", async (_name, format, options) => {
  const bytes = new Uint8Array(4 * MiB - 512);
  bytes.fill(7, 3 * MiB);
  const volume = new MemoryVolume({ disk: bytes });
  const loose = { format: "raw", compact: false, options: { cluster_size: "4k" } };
  expect((await convert("disk", "qcow2", loose, testHost(volume))).fileSizeAfter).toBeGreaterThan(4 * MiB);
  const { report } = await plan("disk", format, options, testHost(volume));
  const { fileSizeAfter, virtualSize } = await convert("disk", format, options, testHost(volume));
  expect(report.virtualSize).toBe(virtualSize);
  expect(fileSizeAfter).toBeLessThanOrEqual(report.fileSizeAfter);
  if (format === "vpc") expect(report.fileSizeAfter).toBe(fileSizeAfter);
  else expect(report.fileSizeAfter).toBeLessThan(1.2 * MiB);
});
