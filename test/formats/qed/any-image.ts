/** Whole QED images of any shape, by chance. */

import fc from "fast-check";
import type { BuiltImage } from "../kit.ts";
import { buildQedImage, type QedImageDescription } from "./builder.ts";

const SECTOR = 512;

export const anyQedDescription: fc.Arbitrary<QedImageDescription> = fc
  .record({
    clusterSize: fc.constantFrom(4096, 8192, 16384),
    tableSize: fc.constantFrom(1, 2, 4),
    headerSize: fc.constantFrom(1, 1, 2),
    clusters: fc.integer({ min: 1, max: 30 }),
    sectorsLess: fc.nat(7),
    kinds: fc.array(fc.constantFrom("data", "data", "zero", "nothing"), { minLength: 30, maxLength: 30 }),
    seed: fc.nat(1000),
    shuffleTables: fc.boolean(),
    tables: fc.constantFrom("first" as const, "last" as const),
    leaks: fc.constantFrom(0, 0, 1, 4),
    tail: fc.constantFrom(0, 0, 1, 700),
    staleHeaderByte: fc.constantFrom(undefined, undefined, 0xcc),
    autoclearFeatures: fc.constantFrom(0n, 1n << 7n),
  })
  .map(({ clusters, sectorsLess, kinds, staleHeaderByte, ...rest }) => {
    const numbers = Array.from({ length: clusters }, (_, cluster) => cluster);
    return {
      ...rest,
      virtualSize: clusters * rest.clusterSize - sectorsLess * SECTOR,
      data: numbers.filter((cluster) => kinds[cluster] === "data"),
      zero: numbers.filter((cluster) => kinds[cluster] === "zero"),
      ...(staleHeaderByte === undefined ? {} : { staleHeaderByte }),
    };
  });

export const anyQed: fc.Arbitrary<BuiltImage> = anyQedDescription.map(buildQedImage);

export function shuffledQed(): BuiltImage {
  const data = [0, 2, 4, 6, 8, 19];
  return buildQedImage({ virtualSize: 20 * 4096, data, zero: [3], seed: 7, shuffleTables: true, leaks: 2 });
}
