/** Whole fixed VHDs: of any shape by chance, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { buildVpc, LARGEST, type VpcDescription } from "./builder.ts";

export const anyVpc: fc.Arbitrary<BuiltImage> = fc
  .record({
    sectors: fc.integer({ min: 1, max: 320 }),
    isData: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
    // Those of which every reader takes the current size.
    creator: fc.constantFrom("win ", "qem2", "d2v ", "tap\0", "CTXS"),
    geometry: fc.constantFrom(LARGEST, [1, 4, 17] as const),
    reservedByte: fc.constantFrom(0, 0, 0x5a),
    betweenSectors: fc.constantFrom(0, 0, 0, 3),
  })
  .map(({ sectors, isData, betweenSectors, ...rest }) => {
    const virtualSize = sectors * 512;
    const data = [...isData.keys()].filter((block) => block * 4096 < virtualSize && isData[block]);
    return buildVpc({ ...rest, virtualSize, data, between: new Uint8Array(betweenSectors * 512) });
  });

/** Nothing of a linear image lies in disorder: the fullest there is. */
export function shuffledVpc(): BuiltImage {
  return buildVpc({ virtualSize: 40 * 4096, data: [...Array(40).keys()] });
}

const SAMPLES: Readonly<Record<string, VpcDescription>> = {
  "vpc plain": { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 39] },
  "vpc of an odd size": { virtualSize: 17 * 4096 - 1536, data: [0, 16], creator: "qem2" },
  "vpc by geometry and size alike": {
    virtualSize: 10 * 4 * 17 * 512,
    data: [3],
    creator: "vpc ",
    geometry: [10, 4, 17],
  },
  "vpc with bytes before its footer": { virtualSize: 8 * 4096, data: [7], between: new Uint8Array(1024).fill(0xdd) },
};

export async function vpcSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildVpc(description).bytes),
  }));
}
