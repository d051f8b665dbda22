/** Valid QED images of many shapes to be damaged, made byte by byte, all small. */

import type { ImageSample } from "../kit.ts";
import { buildQedImage, type QedImageDescription } from "./builder.ts";

const MIXED = { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 39], zero: [3, 20] } as const;

const SAMPLES: Readonly<Record<string, QedImageDescription>> = {
  "qed plain": MIXED,
  "qed empty": { virtualSize: 1024 * 1024 },
  "qed table size 1": { ...MIXED, tableSize: 1, virtualSize: 600 * 4096, data: [0, 1, 511, 512, 599] },
  "qed shuffled, leaks": { ...MIXED, seed: 3, shuffleTables: true, leaks: 3 },
  "qed tables last": { ...MIXED, tables: "last" },
  "qed header of two clusters": { ...MIXED, headerSize: 2, staleHeaderByte: 0xcc },
  "qed several tables": { virtualSize: 5000 * 4096, data: [0, 1023, 1024, 3000, 4999], zero: [2000] },
  "qed backing": { ...MIXED, backingName: "base.img", backingIsRaw: true },
  "qed probed backing": { ...MIXED, backingName: "base.img", backingNameAt: 200 },
  "qed odd size, tail": { ...MIXED, virtualSize: 40 * 4096 - 1536, tail: 700 },
  "qed 64k": { ...MIXED, clusterSize: 65_536, virtualSize: 16 * 65_536, data: [0, 3, 9], zero: [1] },
  "qed unknown bits": { ...MIXED, compatFeatures: 5n, autoclearFeatures: 9n },
};

export async function qedFuzzSamples(): Promise<readonly ImageSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildQedImage(description).bytes),
  }));
}
