/** Whole VDI images: of any shape by chance, one in disorder, some to be damaged, and some whose map alone is checked. */

import fc from "fast-check";
import type { BuiltImage, CheckSample, ImageSample } from "../kit.ts";
import { buildVdi, MiB, type VdiDescription } from "./builder.ts";

const ORACLE = "<<< Oracle VM VirtualBox Disk Image >>>\n";

export const anyVdi: fc.Arbitrary<BuiltImage> = fc
  .record({
    kinds: fc.array(fc.constantFrom("data", "zero", "nothing"), { minLength: 1, maxLength: 2 }),
    sectorsLess: fc.nat(2047),
    seed: fc.nat(1000),
    imageType: fc.constantFrom(1, 1, 2),
    headerSize: fc.constantFrom(384, 400),
    text: fc.constantFrom(ORACLE, ""),
    mapOffset: fc.constantFrom(512, 512, 1024),
    // qemu-img's are at odd sectors, VirtualBox's at 1 MiB.
    dataOffset: fc.constantFrom(undefined, 4096, MiB, MiB + 65_536),
    moreEntries: fc.constantFrom(0, 0, 3),
    tail: fc.constantFrom(0, 0, 1, 700),
    cut: fc.constantFrom("nowhere", "at the disk's end" as const),
  })
  .map(({ kinds, sectorsLess, dataOffset, cut, ...rest }) => {
    const of = (kind: string) => [...kinds.keys()].filter((block) => kinds[block] === kind);
    const virtualSize = kinds.length * MiB - sectorsLess * 512;
    const isCut = cut === "nowhere" ? {} : { isCut: cut, tail: 0 };
    return buildVdi({
      ...rest,
      ...isCut,
      ...(dataOffset && { dataOffset }),
      virtualSize,
      data: of("data"),
      zero: of("zero"),
    });
  });

export function shuffledVdi(): BuiltImage {
  // One block of a few clusters at an odd sector, so that each of them moves.
  return buildVdi({ virtualSize: MiB + 20 * 1024, data: [1], zero: [0], isCut: "at the disk's end" });
}

const MIXED: VdiDescription = { virtualSize: 12 * MiB, data: [0, 1, 5, 11], zero: [3] };

const SAMPLES: Readonly<Record<string, VdiDescription>> = {
  "vdi plain": { virtualSize: 3 * MiB, data: [0, 2], zero: [1] },
  "vdi empty": { virtualSize: 64 * MiB },
  "vdi static, shuffled": { virtualSize: 3 * MiB - 512, data: [0, 1, 2], imageType: 2, seed: 3 },
  "vdi of VirtualBox": {
    virtualSize: 2 * MiB,
    data: [1],
    text: ORACLE,
    headerSize: 400,
    dataOffset: MiB,
    comment: "a",
  },
  "vdi with more entries and a tail": { virtualSize: 2 * MiB, data: [0], moreEntries: 2, tail: 700 },
};

export async function vdiSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildVdi(description).bytes),
  }));
}

const CHECKED: Readonly<Record<string, VdiDescription>> = {
  "vdi-plain": MIXED,
  "vdi-shuffled": { ...MIXED, seed: 3 },
  "vdi-static": { virtualSize: 5 * MiB - 512, data: [0, 1, 2, 3, 4], imageType: 2 },
  "vdi-more-entries": { ...MIXED, moreEntries: 5 },
};

/** qemu-img looks at no block, so that none has to be there. */
export async function vdiCheckSamples(): Promise<readonly CheckSample[]> {
  return Object.entries(CHECKED).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildVdi({ ...description, isCut: "before its blocks" }).bytes),
    openWords: ["-f", "vdi", "IMAGE"],
  }));
}
