/** Parallels for the tests, as a source. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit } from "../kit.ts";
import { KiB, MiB } from "../matrix-image.ts";
import { anyParallels, parallelsCheckSamples, parallelsSamples, shuffledParallels } from "./any-image.ts";
import { buildParallels } from "./builder.ts";
import { parallelsCases } from "./cases.ts";
import { parallelsDifferences } from "./check-differences.ts";
import { parallelsFieldSites } from "./field-sites.ts";
import { readParallelsNaively } from "./naive-reader.ts";

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
  check: { samples: parallelsCheckSamples, differences: parallelsDifferences, hasLines: true },
  matrix: {
    clusterSizes: [64 * KiB, MiB],
    options: (clusterSize) => ({ cluster_size: String(clusterSize) }),
    isChecked: true,
  },
};
