/** What packing is made of: wrapped units, who waits in which cluster, and where what lies in the way goes. */

import { randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { adler32 } from "../../../../../src/bytes/adler32.ts";
import { Bitmap } from "../../../../../src/bytes/bitmap.ts";
import { EvictionPlaces } from "../../../../../src/formats/qcow2/pack/eviction-places.ts";
import { UnitList } from "../../../../../src/formats/qcow2/pack/unit-list.ts";
import {
  preparedFromPlain,
  preparedFromStream,
  wrap,
  wrappedLength,
} from "../../../../../src/formats/qcow2/pack/wrapping.ts";
import { streamForm } from "../../../../../src/formats/vmdk/sparse/stream-form.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../../src/image/extent.ts";

const UNIT = 65_536;
const form = streamForm();

test("Adler-32 is zlib's", async () => {
  for (const bytes of [new Uint8Array(0), Buffer.alloc(UNIT, 0xff), randomBytes(UNIT), Buffer.from("abc")])
    expect(adler32(bytes)).toBe((await preparedFromPlain(bytes)).checksum);
});

test.each([
  ["noise", randomBytes(UNIT)],
  ["text", Buffer.alloc(UNIT, "text ")],
])("%s, wrapped at any length, is a stream of zlib that ends in its last sector", async (_name, plain) => {
  const made = await preparedFromPlain(plain);
  const again = await preparedFromStream(
    Buffer.concat([deflateRawSync(plain, { windowBits: 12 }), Buffer.alloc(300, 7)]),
    UNIT,
  );
  expect(again.checksum).toBe(made.checksum);
  for (const prepared of [made, again])
    for (let more = 0; more <= 4096; more += 512) {
      const length = wrappedLength(prepared, form) + more;
      const { leadIn, stream } = wrap(prepared, form, 3 * UNIT, length);
      const whole = Buffer.concat([leadIn, stream]);
      expect(whole).toHaveLength(length);
      expect(whole.readBigUInt64LE(0)).toBe(BigInt((3 * UNIT) / 512));
      const said = whole.readUInt32LE(8);
      expect(Math.ceil((12 + said) / 512) * 512).toBe(length);
      expect(inflateSync(whole.subarray(12, 12 + said)).equals(plain)).toBe(true);
      // As the image that it lies in reads it: from the lead-in's end on, to the last sector's.
      expect(inflateRawSync(stream).equals(plain)).toBe(true);
    }
});

test("a stream that gives less than a unit is none", async () => {
  const short = deflateRawSync(Buffer.alloc(UNIT - 1));
  await expect(preparedFromStream(short, UNIT)).rejects.toThrow(/gives 65535 bytes/);
});

test("who waits where: streams over the borders of clusters, and those that have gone", () => {
  const mapping = new ExtentTableBuilder();
  mapping.append(2 * UNIT, ExtentState.data, 4 * UNIT);
  mapping.append(UNIT, ExtentState.compressed, 6 * UNIT + 60_000, 9000);
  mapping.append(UNIT, ExtentState.unallocated);
  mapping.append(UNIT - 512, ExtentState.data, 2 * UNIT);
  const units = new UnitList(mapping.finish(5 * UNIT - 512), UNIT, 10);
  expect([...units.unit]).toEqual([0, 1, 2, 4]);
  const inOrder = (start: number, end: number) => [...units.waitingIn(start, end)].sort();
  expect(inOrder(0, 10)).toEqual([0, 1, 2, 3]);
  expect(inOrder(7, 8)).toEqual([2]);
  expect(units.nextWaiting(3, 10)).toBe(4);
  expect(units.nextWaiting(8, 10)).toBe(10);
  units.move(2, UNIT, 300);
  expect(units.isLeft(6) && units.isLeft(7)).toBe(true);
  expect(inOrder(1, 2)).toEqual([2]);
  units.settle(0);
  units.settle(1);
  expect(inOrder(0, 10)).toEqual([2, 3]);
});

test("what is left is taken from behind, then what nobody used, then what was given back; a batch begins at a block", () => {
  const blank = new Bitmap(12);
  blank.mark(8, 4);
  const places = new EvictionPlaces(8, 12, UNIT, blank);
  places.give(3);
  places.give(5);
  expect(places.take(UNIT, 0)).toBe(5 * UNIT);
  expect(places.take(1000, 4)).toBe(8 * UNIT);
  expect(places.take(1000, 4)).toBe(8 * UNIT + 1000);
  places.seal();
  expect(places.take(1000, 4)).toBe(8 * UNIT + 4096);
  // Cluster 3 is left; two that were blank have been taken.
  expect(places.take(UNIT, 9)).toBe(9 * UNIT);
  expect(places.giveBack(2, 0)).toBeUndefined();
  expect([...(places.giveBack(1, 0)?.each() ?? [])]).toEqual([{ start: 3 * UNIT, end: 4 * UNIT }]);
  expect([places.take(UNIT, 0), places.take(UNIT, 0), places.take(UNIT, 0)]).toEqual([10 * UNIT, 11 * UNIT, 3 * UNIT]);
  expect(places.take(UNIT, 0)).toBeUndefined();
});

test("a cluster that all have left is given once, though streams were still being put into it", () => {
  const places = new EvictionPlaces(4, 6, UNIT, new Bitmap(6));
  expect(places.take(500, 0)).toBe(4 * UNIT);
  places.give(4);
  expect(places.take(500, 0)).toBe(4 * UNIT);
  expect(places.take(UNIT, 0)).toBe(5 * UNIT);
});
