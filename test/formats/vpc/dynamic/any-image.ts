/** Whole dynamic VHDs: of any shape by chance, one in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../../kit.ts";
import { LARGEST } from "../builder.ts";
import { buildDynamic, type DynamicDescription } from "./builder.ts";

export const anyDynamic: fc.Arbitrary<BuiltImage> = fc
  .record({
    blockSize: fc.constantFrom(4096, 4096, 8192, 16_384),
    kinds: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
    sectorsLess: fc.nat(7),
    seed: fc.nat(1000),
    creator: fc.constantFrom("win ", "qem2", "d2v ", "tap\0", "CTXS"),
    geometry: fc.constantFrom(LARGEST, [1, 4, 17] as const),
    moreEntries: fc.constantFrom(0, 0, 1, 200),
    headerOffset: fc.constantFrom(512, 512, 1024),
    batOffset: fc.constantFrom(undefined, undefined, 8192),
    gap: fc.constantFrom(0, 0, 1, 7),
    // Where blocks of 4 KiB and 7 sectors between them lie as clusters do.
    dataOffset: fc.constantFrom(0, 0, 65_536),
    unwritten: fc.constantFrom("nothing", "zeros" as const),
  })
  .map(({ kinds, blockSize, sectorsLess, moreEntries, batOffset, unwritten, ...rest }) => {
    const virtualSize = kinds.length * blockSize - sectorsLess * 512;
    return buildDynamic({
      ...rest,
      blockSize,
      virtualSize,
      data: [...kinds.keys()].filter((block) => kinds[block]),
      maxEntries: kinds.length + moreEntries,
      ...(batOffset !== undefined && { batOffset }),
      // What lies behind the disk's end is zeros, and may be told so.
      ...(unwritten === "zeros" && { isWritten: (block, sector) => block * blockSize + sector * 512 < virtualSize }),
    });
  });

export function shuffledDynamic(): BuiltImage {
  return buildDynamic({ virtualSize: 20 * 4096, data: [0, 2, 4, 6, 8, 19], seed: 7 });
}

const MIXED: DynamicDescription = { virtualSize: 40 * 4096 - 1536, data: [0, 1, 5, 9, 17, 39] };

const SAMPLES: Readonly<Record<string, DynamicDescription>> = {
  "vpc dynamic": MIXED,
  "vpc dynamic, empty": { virtualSize: 1024 * 1024, data: [] },
  "vpc dynamic, shuffled, a longer table": { ...MIXED, seed: 3, maxEntries: 300, creator: "qem2" },
  "vpc dynamic, table and blocks elsewhere": { ...MIXED, headerOffset: 2048, batOffset: 8192, gap: 7 },
  "vpc dynamic, larger blocks": { virtualSize: 5 * 65_536 - 512, data: [0, 2, 4], blockSize: 65_536 },
};

export async function dynamicSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildDynamic(description).bytes),
  }));
}
