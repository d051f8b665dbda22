/** Spares of a linear rearrangement: the longest run behind the disk, not the first hole. */

import { expect, test } from "vitest";
import { Bitmap } from "../../../../src/bytes/bitmap.ts";
import { wantedPlaces } from "../../../../src/convert/rearrange/linear.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import type { Rearranger } from "../../../../src/image/rearranger.ts";
import type { Image } from "../../../../src/image/source.ts";

const UNIT = 65_536;

/** Ten units, each two places too far, and what else is used; the file has 30 places. */
function wanted(used: readonly number[]) {
  const mapping = new ExtentTableBuilder();
  mapping.append(10 * UNIT, ExtentState.data, 3 * UNIT);
  const table = mapping.finish(10 * UNIT);
  const image = {
    fileSize: 30 * UNIT,
    storage: { path: "disk.img" },
    getConversionOptions: () => ({ clusterSize: UNIT, virtualSize: 10 * UNIT }),
    getMapping: async () => table,
  } as unknown as Image;
  const bits = new Bitmap(30);
  bits.mark(0, 1);
  bits.mark(3, 10);
  for (const place of used) bits.mark(place, 1);
  return wantedPlaces(image, { unitSize: UNIT, used: bits } as unknown as Rearranger);
}

test("all that lies free behind the disk is spare, but for the first unit's place", async () => {
  expect(await wanted([28, 29])).toMatchObject({ spareStart: 14 * UNIT, spareBytes: 14 * UNIT, isAll: true });
});

test("a place that a table left among the last units is the first unit's, and no end of the spares", async () => {
  expect(await wanted([14, 15, 28, 29])).toMatchObject({ spareStart: 16 * UNIT, spareBytes: 12 * UNIT, isAll: true });
  expect(await wanted([13, 15, 28, 29])).toMatchObject({ spareStart: 16 * UNIT, spareBytes: 12 * UNIT, isAll: true });
});
