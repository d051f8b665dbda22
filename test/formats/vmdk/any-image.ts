/** Whole sparse VMDKs: of any shape by chance, one in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { buildSparse, type SparseDescription } from "./sparse/builder.ts";

function imageOf(description: SparseDescription): BuiltImage {
  const { bytes, guest } = buildSparse(description);
  return { bytes: new Uint8Array(bytes), guest };
}

export const anySparse: fc.Arbitrary<BuiltImage> = fc
  .record({
    grainSize: fc.constantFrom(4096, 4096, 8192, 16384),
    entryCount: fc.constantFrom(4, 16, 512),
    grains: fc.integer({ min: 1, max: 30 }),
    sectorsLess: fc.nat(7),
    kinds: fc.array(fc.constantFrom("data", "data", "zero", "nothing"), { minLength: 30, maxLength: 30 }),
    isStream: fc.boolean(),
    hasFooter: fc.boolean(),
    hasShortTail: fc.boolean(),
    isRedundant: fc.boolean(),
    level: fc.constantFrom(0, 1, 9),
    phase: fc.constantFrom(0, 0, 1, 5),
    seed: fc.nat(1000),
    tables: fc.constantFrom("first" as const, "last" as const),
    version: fc.constantFrom(1, 2, 3),
  })
  .map(({ grains, sectorsLess, kinds, isStream, isRedundant, hasFooter, ...rest }) => {
    const numbers = Array.from({ length: grains }, (_, grain) => grain);
    return imageOf({
      ...rest,
      isStream,
      hasFooter: isStream && hasFooter,
      isRedundant: isRedundant && !isStream,
      virtualSize: grains * rest.grainSize - sectorsLess * 512,
      data: numbers.filter((grain) => kinds[grain] === "data"),
      zero: numbers.filter((grain) => kinds[grain] === "zero"),
    });
  });

const MIXED = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39], zero: [3, 20] } as const;

export function shuffledSparse(): BuiltImage {
  return imageOf({ virtualSize: 20 * 4096, data: [0, 2, 4, 6, 8, 19], zero: [3], seed: 7, isRedundant: true });
}

const SAMPLES: Readonly<Record<string, SparseDescription>> = {
  "vmdk plain": MIXED,
  "vmdk empty": { virtualSize: 1024 * 1024 },
  "vmdk redundant, shuffled": { ...MIXED, isRedundant: true, seed: 3, entryCount: 16 },
  "vmdk tables last, at odd sectors": { ...MIXED, tables: "last", phase: 3 },
  "vmdk many tables": { virtualSize: 600 * 4096, data: [0, 3, 4, 300, 599], zero: [8], entryCount: 4 },
  "vmdk 64k": { virtualSize: 16 * 65_536, data: [0, 3, 9], zero: [1], grainSize: 65_536 },
  "vmdk stream": { ...MIXED, isStream: true },
  "vmdk stream without a footer": { ...MIXED, isStream: true, hasFooter: false, entryCount: 16 },
  "vmdk stream, short tail, shuffled": { ...MIXED, isStream: true, hasShortTail: true, seed: 5, level: 0 },
};

export async function sparseSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({ name, bytes: buildSparse(description).bytes }));
}
