/** Valid QED images of every shape that a check has to know, small enough that thousands of their mutants can be judged. */

import type { CheckSample } from "../kit.ts";
import { buildQedImage, type QedImageDescription } from "./builder.ts";

const MIXED = { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 39], zero: [3, 20] } as const;

const SAMPLES: Readonly<Record<string, QedImageDescription>> = {
  "qed-plain": MIXED,
  "qed-shuffled-with-leaks": { ...MIXED, seed: 3, shuffleTables: true, leaks: 3 },
  "qed-several-tables": { virtualSize: 5000 * 4096, data: [0, 1, 2, 1023, 1024, 3000, 4999], zero: [2000] },
  "qed-odd-size": { ...MIXED, virtualSize: 40 * 4096 - 1536, tail: 700 },
  "qed-large-header": { ...MIXED, headerSize: 2, tableSize: 4 },
};

export async function qedCheckSamples(): Promise<readonly CheckSample[]> {
  return Object.entries(SAMPLES).map(([name, description]) => ({
    name,
    bytes: Buffer.from(buildQedImage(description).bytes),
    openWords: ["-f", "qed", "IMAGE"],
  }));
}
