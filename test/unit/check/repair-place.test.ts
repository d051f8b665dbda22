/** Where a repair stopped, told from the sectors: every place, torn and lost sectors, and somebody else's writes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PatchedSectors } from "../../../src/check/repair-place.ts";
import type { Patch, PatchStep } from "../../../src/journal/repair-work.ts";

const SECTOR = 512;
const filled = (value: number, length = SECTOR) => new Uint8Array(length).fill(value);
const patch = (sector: number, ...versions: readonly [number, number]): Patch => ({
  hostOffset: sector * SECTOR,
  before: filled(versions[0]),
  after: filled(versions[1]),
});
const steps = (...patches: readonly (readonly Patch[])[]): PatchStep[] =>
  patches.map((each, at) => ({ purpose: `step ${at + 1}`, patches: each }));

/** Sector 0 has three versions, 1 two, 5 two. */
const STEPS = steps([patch(0, 10, 11), patch(1, 20, 21)], [patch(5, 50, 51)], [patch(0, 11, 12)]);

function placeOf(sectors: Readonly<Record<number, Uint8Array | number | undefined>>) {
  return new PatchedSectors(STEPS).find(async (hostOffset) => {
    const found = sectors[hostOffset / SECTOR];
    return typeof found === "number" ? filled(found) : found;
  });
}

describe("the place", () => {
  test.each([
    [{ 0: 10, 1: 20, 5: 50 }, 0, false],
    [{ 0: 11, 1: 20, 5: 50 }, 1, false],
    [{ 0: 10, 1: 21, 5: 50 }, 1, false],
    [{ 0: 11, 1: 21, 5: 50 }, 1, false],
    [{ 0: 11, 1: 21, 5: 51 }, 2, false],
    [{ 0: 12, 1: 21, 5: 51 }, 3, true],
  ])("of %j is %i", async (sectors, step, isDone) => {
    expect(await placeOf(sectors)).toMatchObject({ step, isDone });
  });

  test.each([
    ["a value of nobody's", { 0: 10, 1: 99, 5: 50 }],
    ["a step done before the one before it", { 0: 10, 1: 20, 5: 51 }],
    ["the last step done, the second not", { 0: 12, 1: 21, 5: 50 }],
    ["the first half done, the second begun", { 0: 10, 1: 21, 5: 51 }],
  ])("is unknown where there is %s", async (_, sectors) => {
    expect(await placeOf(sectors)).toBeUndefined();
  });

  test("with a torn sector is the step that tore it, in whichever direction", async () => {
    for (const [first, rest] of [
      [21, 20],
      [20, 21],
    ] as const) {
      const torn = filled(rest);
      torn.fill(first, 0, 200);
      const place = await placeOf({ 0: 11, 1: torn, 5: 50 });
      expect(place).toMatchObject({ step: 1, isDone: false });
      expect(place?.seen).toEqual([
        { hostOffset: 0, bytes: Buffer.concat([filled(11), filled(20)]) },
        { hostOffset: 5 * SECTOR, bytes: Buffer.from(filled(50)) },
      ]);
      // In a step that was over, or not begun, nothing tears.
      expect(await placeOf({ 0: 12, 1: torn, 5: 51 })).toBeUndefined();
    }
    const mixed = filled(20);
    mixed.fill(21, 100, 200);
    expect(await placeOf({ 0: 11, 1: mixed, 5: 50 })).toBeUndefined();
  });

  test("a sector that the medium lost says nothing, and comes back as it was before the step", async () => {
    expect(await placeOf({ 0: 11, 1: undefined, 5: 50 })).toMatchObject({ step: 1 });
    const place = await placeOf({ 0: undefined, 1: 21, 5: 51 });
    expect(place).toMatchObject({ step: 2, isDone: false });
    expect(place?.seen[0]?.bytes).toEqual(Buffer.concat([filled(11), filled(21)]));
  });

  test("is found wherever a cut leaves the sectors, and what is seen is what was found", async () => {
    const patchesOf = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(patchesOf, { minLength: 1, maxLength: 5 }),
        fc.nat(5),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        async (sectorsOfSteps, cutAt, isNew) => {
          const now = new Map<number, number>();
          const made = sectorsOfSteps.map((sectors, at) => {
            const patches = sectors.map((sector) => patch(sector, now.get(sector) ?? sector, 10 * (at + 1) + sector));
            for (const sector of sectors) now.set(sector, 10 * (at + 1) + sector);
            return patches;
          });
          const cut = Math.min(cutAt, made.length);
          const file = new Map<number, Uint8Array>();
          for (const { hostOffset, before } of made.flat().reverse()) file.set(hostOffset, before);
          for (const [at, patches] of made.slice(0, cut).entries()) {
            for (const { hostOffset, after } of patches) {
              if (at < cut - 1 || isNew[hostOffset / SECTOR]) file.set(hostOffset, after);
            }
          }
          const place = await new PatchedSectors(steps(...made)).find(async (hostOffset) => file.get(hostOffset));
          if (place === undefined) throw new Error("no place");
          expect(place.step === cut || place.step === cut - 1).toBe(true);
          const seen = new Map<number, Uint8Array>();
          for (const { hostOffset, bytes } of place.seen) {
            for (let at = 0; at < bytes.length; at += SECTOR)
              seen.set(hostOffset + at, Uint8Array.from(bytes.subarray(at, at + SECTOR)));
          }
          expect(seen).toEqual(new Map([...file].sort(([a], [b]) => a - b)));
        },
      ),
    );
  });
});

test("the sectors after each step, neighbours joined", () => {
  const sectors = new PatchedSectors(STEPS);
  const values = (step: number) =>
    sectors.after(step).map(({ hostOffset, bytes }) => [hostOffset, bytes[0], bytes[512]]);
  expect(values(0)).toEqual([
    [0, 10, 20],
    [2560, 50, undefined],
  ]);
  expect(values(1)).toEqual([
    [0, 11, 21],
    [2560, 50, undefined],
  ]);
  expect(values(3)).toEqual([
    [0, 12, 21],
    [2560, 51, undefined],
  ]);
});
