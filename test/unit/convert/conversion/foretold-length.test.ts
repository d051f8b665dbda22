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

function isAboutOne(ratio: number): boolean {
  return ratio > 0.5 && ratio < 2;
}

/** Plain clusters, none of which lies where a raw disk has it, 64 of 4 KiB. */
async function looseQcow2(): Promise<MemoryVolume> {
  const bytes = Uint8Array.from({ length: 64 * 4096 }, (_, at) => (at >> 12) + (at % 7));
  const volume = new MemoryVolume({ disk: bytes });
  await convert("disk", "qcow2", { format: "raw", compact: false, options: { cluster_size: "4k" } }, testHost(volume));
  return volume;
}

test.each<[string, string, ConvertOptions]>([
  ["compressed", "qcow2", { compress: true }],
  ["compacted", "qcow2", { compact: true }],
  ["brought to their places", "raw", {}],
])("the peak of units that are %s follows the bound, in the plan as in the run", async (_name, format, options) => {
  const planned: number[] = [];
  for (const maxExtraSpace of [64 * 1024, 128 * 1024, 16 * MiB]) {
    const volume = await looseQcow2();
    const { report } = await plan("disk", format, { ...options, maxExtraSpace }, testHost(volume));
    expect(report.refused).toEqual([]);
    planned.push(report.peakExtraBytes);
    const { peakExtraBytes, syncs } = await convert("disk", format, { ...options, maxExtraSpace }, testHost(volume));
    expect(peakExtraBytes).toBeLessThanOrEqual(report.peakExtraBytes);
    // About so many.
    expect([maxExtraSpace, report.syncs / syncs]).toEqual([maxExtraSpace, expect.toSatisfy(isAboutOne)]);
  }
  if (format === "qcow2" && options.compress) expect(planned).toEqual([64 * 1024, 128 * 1024, 64 * 4096]);
});

test.each(["blkhash-sha256", "sha256"] as const)(
  "zeros whose %s takes hours are refused beforehand",
  async (checksum) => {
    const volume = new MemoryVolume({ disk: new Uint8Array(MiB) });
    const options = { format: "raw", checksum, options: { align: "8000T" } };
    const { report } = await plan("disk", "raw", options, testHost(volume));
    expect(report.refused).toEqual([expect.stringMatching(`the ${checksum} checksum of the \\d+ bytes of zeros`)]);
    await expect(convert("disk", "raw", options, testHost(volume))).rejects.toThrow(
      /smaller align, or use --checksum none/,
    );
    expect(volume.snapshots()).toEqual({ disk: new Uint8Array(MiB) });
    const loose = await plan("disk", "raw", { ...options, checksum: "none" }, testHost(volume));
    expect(loose.report).toMatchObject({ refused: [], fileSizeAfter: 8000 * 2 ** 40 });
  },
);
