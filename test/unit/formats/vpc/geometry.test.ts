import { expect, test } from "vitest";
import { geometryFor, isLargest, LARGEST_GEOMETRY, sizeOf } from "../../../../src/formats/vpc/geometry.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** The specification's appendix, step by step with integers. */
function byAppendix(totalSectors: number): readonly number[] {
  let total = totalSectors;
  let [cylindersTimesHeads, heads, sectors] = [0, 0, 0];
  if (total > 65535 * 16 * 255) total = 65535 * 16 * 255;
  if (total >= 65535 * 16 * 63) {
    sectors = 255;
    heads = 16;
    cylindersTimesHeads = Math.floor(total / sectors);
  } else {
    sectors = 17;
    cylindersTimesHeads = Math.floor(total / sectors);
    heads = Math.floor((cylindersTimesHeads + 1023) / 1024);
    if (heads < 4) heads = 4;
    if (cylindersTimesHeads >= heads * 1024 || heads > 16) {
      sectors = 31;
      heads = 16;
      cylindersTimesHeads = Math.floor(total / sectors);
    }
    if (cylindersTimesHeads >= heads * 1024) {
      sectors = 63;
      heads = 16;
      cylindersTimesHeads = Math.floor(total / sectors);
    }
  }
  return [Math.floor(cylindersTimesHeads / heads), heads, sectors];
}

test("is the appendix's, for sizes on either side of every step", () => {
  const steps = [4 * 1024 * 17, 5 * 1024 * 17, 16 * 1024 * 17, 16 * 1024 * 31, 65535 * 16 * 63, 65535 * 16 * 255];
  const around = steps.flatMap((sectors) => [-600, -31, -17, -1, 0, 1, 16, 17, 300].map((more) => sectors + more));
  for (const sectors of [0, 1, 67, 68, 2048, 40960, ...around, 2 ** 30, 2 ** 32 - 1]) {
    const { cylinders, heads, sectorsPerTrack } = geometryFor(sectors * 512);
    expect([cylinders, heads, sectorsPerTrack], `${sectors} sectors`).toEqual(byAppendix(sectors));
    expect(cylinders).toBeLessThan(65_536);
    expect(sizeOf(geometryFor(sectors * 512))).toBeLessThanOrEqual(sectors * 512);
  }
});

test.each([
  [20 * MiB, 602, 4, 17],
  [10 * GiB, 20_805, 16, 63],
  [127 * GiB, 65_278, 16, 255],
  [128 * GiB, 65_535, 16, 255],
])("of %d bytes", (size, cylinders, heads, sectorsPerTrack) => {
  expect(geometryFor(size)).toEqual({ cylinders, heads, sectorsPerTrack });
});

test("the largest says no more than that", () => {
  expect(isLargest(LARGEST_GEOMETRY)).toBe(true);
  expect(isLargest({ ...LARGEST_GEOMETRY, cylinders: 65_534 })).toBe(false);
  expect(sizeOf(LARGEST_GEOMETRY)).toBe(136_899_993_600);
});
