/** How much is copied between two barriers: as much as the copies may take of the disk, or any amount where they take none. */

import { expect, test } from "vitest";
import { MiB } from "../../../../src/bytes/align.ts";
import { Bitmap } from "../../../../src/bytes/bitmap.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { epochBytesFor, epochBytesInto } from "../../../../src/convert/rearrange/epoch-size.ts";
import type { Rearranger } from "../../../../src/image/rearranger.ts";
import type { Storage } from "../../../../src/storage/storage.ts";

const UNIT = MiB;

/** 40 units used of 80: the header, and every other one. */
function halfFull(): Rearranger {
  const used = new Bitmap(80);
  for (let unit = 0; unit < 80; unit += 2) used.mark(unit, 1);
  return { used, unitSize: UNIT } as Partial<Rearranger> as Rearranger;
}

function fileOf(data: RangeSet | undefined): Storage {
  return { ...(data && { dataRanges: async () => data }) } as Partial<Storage> as Storage;
}

test("16 MiB, or what the user allows, and never more than a quarter of a GiB", () => {
  expect(epochBytesFor(Number.POSITIVE_INFINITY)).toBe(16 * MiB);
  expect(epochBytesFor(MiB)).toBe(MiB);
  expect(epochBytesFor(64 * MiB)).toBe(64 * MiB);
  expect(epochBytesFor(1024 * MiB)).toBe(256 * MiB);
});

test("any amount into places that the file has already", async () => {
  const whole = fileOf(RangeSet.of({ start: 0, end: 80 * UNIT }));
  expect(await epochBytesInto(whole, halfFull(), MiB)).toBe(256 * MiB);
});

test("no more than is allowed into holes, or where nobody tells of them", async () => {
  // Of the 20 free units below unit 40 all but the last four are holes.
  const sparse = fileOf(RangeSet.of({ start: 32 * UNIT, end: 80 * UNIT }));
  expect(await epochBytesInto(sparse, halfFull(), 15 * MiB)).toBe(15 * MiB);
  expect(await epochBytesInto(sparse, halfFull(), 16 * MiB)).toBe(256 * MiB);
  expect(await epochBytesInto(fileOf(undefined), halfFull(), Number.POSITIVE_INFINITY)).toBe(16 * MiB);
});
