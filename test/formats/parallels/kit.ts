/** Parallels for the tests. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit, TargetKit } from "../kit.ts";
import { KiB, MiB } from "../matrix-image.ts";
import { anyParallels, parallelsCheckSamples, parallelsSamples, shuffledParallels } from "./any-image.ts";
import { buildParallels } from "./builder.ts";
import { parallelsCases } from "./cases.ts";
import { parallelsDifferences } from "./check-differences.ts";
import { parallelsFieldSites } from "./field-sites.ts";
import { readParallelsNaively } from "./naive-reader.ts";

const target: TargetKit = {
  small: { cluster_size: "4k" },
  options: [{ cluster_size: "4k" }, { cluster_size: "4k" }, { cluster_size: "32k" }],
  unlikeDefault: { cluster_size: "8k" },
  choices: [{ cluster_size: ["4k", "16k", "64k", "1M"] }],
  countsReferences: false,
  // The lowest byte of the heads, which nobody asks for.
  harmlessFlagAt: 20,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(4);
    entry.writeUInt32LE(hostOffset / 4096);
    return entry;
  },
};

export const parallelsKit: FormatKit = {
  name: "parallels",
  title: "Parallels",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => buildParallels({ ...contents, trackSectors: BLOCK_SIZE / 512 }).bytes,
  naiveRead: readParallelsNaively,
  fieldSites: parallelsFieldSites,
  cases: parallelsCases,
  source: { anyImage: anyParallels, shuffled: shuffledParallels, samples: parallelsSamples },
  target,
  check: { samples: parallelsCheckSamples, differences: parallelsDifferences, hasLines: true },
  matrix: {
    clusterSizes: [64 * KiB, MiB],
    options: (clusterSize) => ({ cluster_size: String(clusterSize) }),
    isChecked: true,
  },
};
