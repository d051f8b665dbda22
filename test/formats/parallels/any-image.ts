/** Whole Parallels images: of any shape by chance, one in disorder, some to be damaged, and some to be checked. */

import fc from "fast-check";
import type { BuiltImage, CheckSample, ImageSample } from "../kit.ts";
import { buildParallels, dirtyBitmap, type ParallelsDescription } from "./builder.ts";

export const anyParallels: fc.Arbitrary<BuiltImage> = fc
  .record({
    trackSectors: fc.constantFrom(8, 8, 16, 32, 63),
    magic: fc.constantFrom("WithouFreSpacExt" as const, "WithoutFreeSpace" as const),
    tracks: fc.integer({ min: 1, max: 20 }),
    sectorsLess: fc.nat(7),
    isData: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
    seed: fc.nat(1000),
    shift: fc.constantFrom(0, 0, 3),
    inUse: fc.constantFrom(0, 0x312e3276),
    moreEntries: fc.constantFrom(0, 0, 3),
    leaks: fc.constantFrom(0, 0, 2),
  })
  .map(({ tracks, sectorsLess, isData, ...rest }) => {
    const data = [...isData.keys()].filter((track) => track < tracks && isData[track]);
    return buildParallels({ ...rest, data, virtualSize: (tracks * rest.trackSectors - sectorsLess) * 512 });
  });

const MIXED: ParallelsDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39] };

export function shuffledParallels(): BuiltImage {
  return buildParallels({ ...MIXED, seed: 7, leaks: 2 });
}

const SAMPLES: Readonly<Record<string, ParallelsDescription>> = {
  "parallels-plain": MIXED,
  "parallels-older-shuffled": { ...MIXED, magic: "WithoutFreeSpace", seed: 3, shift: 1 },
  "parallels-leaks": { ...MIXED, inUse: 0x312e3276, leaks: 2, missing: 700 },
  "parallels-tracks-of-63": { virtualSize: 6 * 63 * 512, trackSectors: 63, data: [5, 0, 1] },
  "parallels-more-entries": { ...MIXED, moreEntries: 5 },
};

export async function parallelsSamples(): Promise<readonly ImageSample[]> {
  const withBitmap = { ...MIXED, extension: dirtyBitmap(MIXED.virtualSize, 0xab) };
  const all = { ...SAMPLES, "parallels-empty": { virtualSize: 1024 * 1024 }, "parallels-bitmap": withBitmap };
  return Object.entries(all).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildParallels(description).bytes),
  }));
}

export async function parallelsCheckSamples(): Promise<readonly CheckSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildParallels(description).bytes),
    openWords: ["-f", "parallels", "IMAGE"],
  }));
}
