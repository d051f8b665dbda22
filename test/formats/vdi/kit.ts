/** VDI for the tests. */

import type { FormatKit, TargetKit } from "../kit.ts";
import { MiB } from "../matrix-image.ts";
import { anyVdi, shuffledVdi, vdiCheckSamples, vdiSamples } from "./any-image.ts";
import { buildVdiOf } from "./builder.ts";
import { vdiCases } from "./cases.ts";
import { vdiDifferences } from "./check-differences.ts";
import { vdiFieldSites } from "./field-sites.ts";
import { readVdiNaively } from "./naive-reader.ts";

const target: TargetKit = {
  runs: 3,
  options: [{}],
  unlikeDefault: {},
  choices: [{}],
  countsReferences: false,
  // Of the comment's last byte.
  harmlessFlagAt: 339,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(4);
    entry.writeUInt32LE(hostOffset / MiB - 1);
    return entry;
  },
};

export const vdiKit: FormatKit = {
  name: "vdi",
  title: "VDI",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => buildVdiOf(contents).bytes,
  naiveRead: readVdiNaively,
  fieldSites: vdiFieldSites,
  cases: vdiCases,
  source: { anyImage: anyVdi, runs: 6, towards: { cluster_size: "4k" }, shuffled: shuffledVdi, samples: vdiSamples },
  target,
  check: { samples: vdiCheckSamples, differences: vdiDifferences, hasLines: true },
  matrix: { clusterSizes: [MiB], options: () => ({}), isChecked: true },
};
