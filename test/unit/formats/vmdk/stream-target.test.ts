/** A streamOptimized VMDK made: where its grains must lie, what comes behind them, and how its making ends. */

import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { wrap } from "../../../../src/formats/qcow2/pack/wrapping.ts";
import { openImage } from "../../../../src/formats/registry.ts";
import { streamForm } from "../../../../src/formats/vmdk/sparse/stream-form.ts";
import { vmdkTarget } from "../../../../src/formats/vmdk/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { zlibOf } from "../../../../src/image/guest/deflate.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { plainSource } from "../../../formats/qcow2/target-image.ts";
import { readStreamInOrder } from "../../../formats/vmdk/sparse/stream-reader.ts";
import { applyEpoch } from "../../../support/apply-epoch.ts";

const UNIT = 65_536;
const START = 128 * 512;
const OPTIONS = { subformat: "streamOptimized" };
const form = streamForm();
/** In two tables, one of them the last of three. */
const UNITS = [1, 7, 511, 1030];
const SIZE = 1031 * UNIT - 512;
const contentOf = (unit: number) => Buffer.alloc(UNIT, `unit ${unit} `);

/** A file of packed grains, tables behind them, and what a carrier has left there. */
async function packed() {
  const parts = [Buffer.alloc(START)];
  const places: number[] = [];
  let end = START;
  for (const unit of UNITS) {
    const { leadIn, stream } = wrap(await zlibOf(contentOf(unit)), form, unit * UNIT, 1024);
    places.push(end);
    parts.push(Buffer.concat([leadIn, stream]));
    end += 1024;
  }
  parts.push(Buffer.alloc(200_000, 0xee));
  const file = Buffer.concat(parts);
  const units = {
    virtualSize: SIZE,
    count: UNITS.length,
    unit: Uint32Array.from(UNITS),
    hostOffset: Float64Array.from(places),
    end,
  };
  for await (const writes of form.tail(units, memoryStorage(file)))
    for (const { hostOffset, bytes } of writes) file.set(bytes, hostOffset);
  return { file, places, end };
}

function draftOf(places: readonly number[]) {
  const extents = new ExtentTableBuilder();
  for (const [index, unit] of UNITS.entries()) {
    extents.append(unit * UNIT - extents.end, ExtentState.unallocated);
    const length = Math.min(UNIT, SIZE - unit * UNIT);
    extents.append(length, ExtentState.compressed, (places[index] as number) + form.leadInLength, 1024 - 14);
  }
  const draft = vmdkTarget.openConversionTarget(plainSource({ virtualSize: SIZE }), OPTIONS, new Set());
  return vmdkTarget.map(draft, extents.finish(SIZE), { oldFileSize: 900_000, additiveStart: 900_000 });
}

async function committed() {
  const { file, places } = await packed();
  const draft = draftOf(places);
  const { sector, extras } = vmdkTarget.copyHeader(draft, plainSource({}), file, new RangeSet());
  file.set(sector);
  for (const { hostOffset, bytes } of extras) file.set(bytes, hostOffset);
  return { file, draft };
}

describe("its making", () => {
  test("ends in a stream of which nothing is left behind, read by its tables and from front to end", async () => {
    const { file, draft } = await committed();
    const image = await openImage(memoryStorage(file), "vmdk");
    const settling = await image.planSettling?.();
    expect(settling?.fileSize).toBe(draft.settling.fileSize);
    let bytes = new Uint8Array(file);
    for (const epoch of settling?.epochs ?? []) bytes = applyEpoch(bytes, epoch) as typeof bytes;
    expect(bytes).toHaveLength(draft.settling.fileSize);
    const { guest, markers, grainCount } = readStreamInOrder(bytes);
    expect([grainCount, ...markers]).toEqual([4, 1, 1, 2, 3]);
    for (const unit of UNITS) {
      const place = unit * UNIT;
      expect(Buffer.compare(guest.subarray(place, place + UNIT), contentOf(unit).subarray(0, SIZE - place))).toBe(0);
    }
    const again = await openImage(memoryStorage(bytes), "vmdk");
    expect((await again.planSettling?.())?.epochs).toEqual([]);
    expect((await again.check?.())?.findings).toEqual([]);
  });

  test("changes nothing of a stream whose footer is another's, or that has none", async () => {
    const { file, draft } = await committed();
    const footer = draft.settling.fileSize - 1024;
    for (const at of [footer + 12, footer - 512 + 12, draft.settling.fileSize - 500]) {
      const other = Buffer.from(file);
      other[at] = (other[at] as number) ^ 1;
      const image = await openImage(memoryStorage(other), "vmdk");
      expect((await image.planSettling?.())?.epochs, `byte ${at}`).toEqual([]);
    }
  });

  test("tells what it shows below the source's end", async () => {
    const { places, end } = await packed();
    const { takenOver, settling } = draftOf(places);
    expect([...(takenOver?.each() ?? [])]).toEqual([{ start: end, end: settling.fileSize }]);
  });
});

test("a grain that leaves a gap before it, or is plain, is no stream's", async () => {
  const { places } = await packed();
  expect(() => draftOf(places.map((place, index) => place + (index > 1 ? 512 : 0)))).toThrow(/lie one behind another/);
  const extents = new ExtentTableBuilder();
  extents.append(UNIT, ExtentState.data, START);
  const draft = vmdkTarget.openConversionTarget(plainSource({ virtualSize: UNIT }), OPTIONS, new Set());
  const space = { oldFileSize: 2 * UNIT, additiveStart: 2 * UNIT };
  expect(() => vmdkTarget.map(draft, extents.finish(UNIT), space)).toThrow(/compressed/);
});
