/** Whole qcows (version 1): of any shape by chance, one in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { buildQcow, type QcowDescription } from "./builder.ts";

const CLUSTERS = 30;

export const anyQcowDescription: fc.Arbitrary<QcowDescription> = fc
  .record({
    clusterSize: fc.constantFrom(512, 4096, 16_384),
    l2Bits: fc.constantFrom(6, 9),
    clusters: fc.integer({ min: 1, max: CLUSTERS }),
    sectorsLess: fc.nat(7),
    kinds: fc.array(fc.constantFrom("data", "data", "stream", "nothing"), { minLength: CLUSTERS, maxLength: CLUSTERS }),
    seed: fc.nat(1000),
    shuffleTables: fc.boolean(),
    tables: fc.constantFrom("first" as const, "last" as const),
    l1: fc.constantFrom("behind the header" as const, "apart" as const),
    sectorsBetween: fc.constantFrom(undefined, undefined, 0, 1, 3),
    leaks: fc.constantFrom(0, 0, 1, 4),
  })
  .map(({ clusters, sectorsLess, kinds, sectorsBetween, ...rest }) => {
    const all = Array.from({ length: clusters }, (_, cluster) => cluster);
    return {
      ...rest,
      ...(sectorsBetween !== undefined && { sectorsBetween }),
      virtualSize: clusters * rest.clusterSize - (sectorsLess % (rest.clusterSize / 512)) * 512,
      data: all.filter((cluster) => kinds[cluster] === "data"),
      compressed: all.filter((cluster) => kinds[cluster] === "stream"),
    };
  });

export const anyQcow: fc.Arbitrary<BuiltImage> = anyQcowDescription.map(buildQcow);

const MIXED = { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 39], compressed: [2, 20, 21] } as const;

export function shuffledQcow(): BuiltImage {
  return buildQcow({ virtualSize: 20 * 4096, data: [0, 2, 4, 6, 8, 19], seed: 7, shuffleTables: true, leaks: 2 });
}

const SAMPLES: Readonly<Record<string, QcowDescription>> = {
  "qcow plain": MIXED,
  "qcow empty": { virtualSize: 1024 * 1024 },
  "qcow at odd sectors": { ...MIXED, sectorsBetween: 1, tables: "last" },
  "qcow shuffled, leaks": { ...MIXED, seed: 3, shuffleTables: true, leaks: 3, l1: "apart" },
  "qcow several tables": { virtualSize: 600 * 4096, l2Bits: 6, data: [0, 63, 64, 300, 599], compressed: [301, 302] },
  "qcow odd size": { ...MIXED, virtualSize: 40 * 4096 - 1536, cut: 300, tables: "first" },
  "qcow backing": { ...MIXED, backingName: "base.img" },
  "qcow 512": { clusterSize: 512, virtualSize: 300 * 512, data: [0, 1, 2, 77, 299], compressed: [5, 6] },
  "qcow 64k": { clusterSize: 65_536, l2Bits: 13, virtualSize: 16 * 65_536, data: [0, 3, 9], compressed: [1, 2] },
};

export async function qcowSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildQcow(description).bytes),
  }));
}
