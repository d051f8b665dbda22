/** Whole VHDX images: of any shape by chance, one in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { buildVhdx, STATE, type VhdxDescription } from "./builder.ts";
import { MiB } from "./bytes.ts";

const PIECES = MiB / 4096;

export const anyVhdxDescription: fc.Arbitrary<VhdxDescription> = fc
  .record({
    blockSize: fc.constantFrom(MiB, MiB, MiB, 2 * MiB),
    blocks: fc.integer({ min: 1, max: 2 }),
    sectorsLess: fc.nat(2000),
    kinds: fc.array(fc.constantFrom("data", "data", "zero", "nothing", "unmapped", "undefined"), {
      minLength: 4,
      maxLength: 4,
    }),
    pieces: fc.array(fc.nat(PIECES - 1), { minLength: 1, maxLength: 6 }),
    seed: fc.nat(1000),
    gap: fc.constantFrom(0, 0, 1),
    order: fc.constantFrom<NonNullable<VhdxDescription["order"]>>(
      ["log", "bat", "metadata", "blocks"],
      ["log", "metadata", "bat", "blocks"],
      ["blocks", "bat", "log", "metadata"],
    ),
    sequenceNumbers: fc.constantFrom<[bigint, bigint]>([1n, 1n], [1n, 2n], [8n, 7n], [2n ** 33n, 5n]),
    isFixed: fc.boolean(),
    physicalSectorSize: fc.constantFrom(512, 4096),
    hasUnknown: fc.boolean(),
    tail: fc.constantFrom(0, 0, 1, 70_000),
  })
  .map(({ blocks, sectorsLess, kinds, pieces, ...rest }) => {
    const blockPieces = rest.blockSize / 4096;
    const virtualSize = blocks * rest.blockSize - sectorsLess * 512;
    const isInside = (piece: number) => (piece + 1) * 4096 <= virtualSize;
    const of = (kind: string) => [...Array(blocks).keys()].filter((block) => kinds[block] === kind);
    const data = of("data").flatMap((block) => pieces.map((piece) => block * blockPieces + piece));
    const stored = new Set(data.filter(isInside).map((piece) => Math.floor(piece / blockPieces)));
    const absent = (kind: "zero" | "unmapped" | "undefined") =>
      of(kind)
        .map((block) => [block, STATE[kind]] as const)
        .filter(([block]) => !stored.has(block));
    const states = Object.fromEntries([...absent("zero"), ...absent("unmapped"), ...absent("undefined")]);
    return { ...rest, virtualSize, data: [...new Set(data.filter(isInside))], states };
  });

/** Plain bytes, as other kits make them. */
function built(description: VhdxDescription): BuiltImage {
  const { bytes, guest } = buildVhdx(description);
  return { bytes: new Uint8Array(bytes), guest: new Uint8Array(guest) };
}

export const anyVhdx: fc.Arbitrary<BuiltImage> = anyVhdxDescription.map(built);

export function shuffledVhdx(): BuiltImage {
  return built({ virtualSize: MiB + 8192, data: [0, 3, 256, 257], seed: 5 });
}

export const VHDX_SAMPLES: Readonly<Record<string, VhdxDescription>> = {
  "vhdx plain": { virtualSize: 3 * MiB, data: [0, 1, 5, 600], zero: [300] },
  "vhdx of an odd size": { virtualSize: 2 * MiB + 512, data: [2, 300], zero: [512], tail: 700 },
  "vhdx with its metadata first": {
    virtualSize: 3 * MiB,
    data: [2, 300],
    order: ["log", "metadata", "bat", "blocks"],
    sequenceNumbers: [1n, 1n],
  },
  "vhdx with blocks between its regions": {
    virtualSize: 4 * MiB,
    blockSize: 2 * MiB,
    data: [2, 700],
    order: ["blocks", "bat", "log", "metadata"],
    hasUnknown: true,
  },
};

export async function vhdxSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(VHDX_SAMPLES).map(([name, description]) => ({ name, bytes: buildVhdx(description).bytes }));
}
