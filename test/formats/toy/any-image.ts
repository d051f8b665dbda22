/** Whole toys: of any shape by chance, one in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { buildToy, type ToyDescription } from "./builder.ts";

export const anyToy: fc.Arbitrary<BuiltImage> = fc
  .record({
    blockSize: fc.constantFrom(4096, 8192, 16384),
    blocks: fc.integer({ min: 1, max: 30 }),
    sectorsLess: fc.nat(7),
    isData: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
    seed: fc.nat(1000),
    table: fc.constantFrom("first" as const, "last" as const),
    unused: fc.constantFrom(0, 0, 1, 4),
    tail: fc.constantFrom(0, 0, 1, 700),
    staleHeaderByte: fc.constantFrom(0, 0, 0xcc),
  })
  .map(({ blocks, sectorsLess, isData, ...rest }) => {
    const data = [...isData.keys()].filter((block) => block < blocks && isData[block]);
    return buildToy({ ...rest, data, virtualSize: blocks * rest.blockSize - sectorsLess * 512 });
  });

const MIXED: ToyDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39] };

export function shuffledToy(): BuiltImage {
  return buildToy({ ...MIXED, seed: 7, unused: 2 });
}

const SAMPLES: Readonly<Record<string, ToyDescription>> = {
  "toy plain": MIXED,
  "toy empty": { virtualSize: 1024 * 1024, data: [] },
  "toy shuffled, table last": { ...MIXED, seed: 3, table: "last", unused: 3, tail: 700 },
  "toy table of two blocks": { virtualSize: 600 * 4096, data: [0, 511, 512, 599], staleHeaderByte: 0xcc },
  "toy 64k": { blockSize: 65_536, virtualSize: 16 * 65_536, data: [0, 3, 9] },
};

export async function toySamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildToy(description).bytes),
  }));
}
