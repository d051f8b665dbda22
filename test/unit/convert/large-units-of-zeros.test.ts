/** Zeros of a raw disk on its way to units that are larger than any in which zeros are looked for. */

import { expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { map } from "../../../src/convert/reading/map.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

const MiB = 1024 ** 2;

test.each([
  ["qed", { cluster_size: "4M" }, 4],
  ["vhdx", { block_size: "4M" }, 4],
  ["parallels", { cluster_size: "8M" }, 8],
])("to %s with %j: a unit of zeros alone has no place", async (format, options, unit) => {
  const disk = new Uint8Array(24 * MiB).fill(1, 0, 5).fill(2, 17 * MiB, 17 * MiB + 5);
  const volume = new MemoryVolume({ [IMAGE_PATH]: disk });
  const report = await convert(IMAGE_PATH, format, { format: "raw", options }, testHost(volume));
  expect(report.guestChecksum?.after).toBe(report.guestChecksum?.before);
  const { entries } = await map(IMAGE_PATH, {}, volume);
  const stored = entries.filter(({ data }) => data).map(({ start, length }) => [start / MiB, length / MiB]);
  expect(stored).toEqual([
    [0, unit],
    [16, unit],
  ]);
});
