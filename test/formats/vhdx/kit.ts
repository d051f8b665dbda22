/** VHDX for the tests. */

import type { FormatKit, SourceKit, TargetKit } from "../kit.ts";
import { MiB } from "../matrix-image.ts";
import { anyVhdx, shuffledVhdx, vhdxSamples } from "./any-image.ts";
import { buildVhdx } from "./builder.ts";
import { vhdxCases } from "./cases.ts";
import { vhdxDifferences } from "./check-differences.ts";
import { vhdxCheckSamples } from "./check-samples.ts";
import { vhdxFieldSites } from "./field-sites.ts";
import { readVhdxNaively } from "./naive-reader.ts";

const source: SourceKit = { anyImage: anyVhdx, runs: 6, shuffled: shuffledVhdx, samples: vhdxSamples };

const target: TargetKit = {
  runs: 3,
  options: [{}, { block_size: "1M" }, { block_size: "2M" }],
  unlikeDefault: { block_size: "2M" },
  choices: [{}, { block_size: ["1M", "2M", "8M"] }],
  countsReferences: true,
  // Of the creator's last byte in the first sector.
  harmlessFlagAt: 511,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64LE(BigInt(hostOffset) + 6n);
    return entry;
  },
};

export const vhdxKit: FormatKit = {
  name: "vhdx",
  title: "VHDX",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => buildVhdx(contents).bytes,
  naiveRead: readVhdxNaively,
  fieldSites: vhdxFieldSites,
  cases: vhdxCases,
  source,
  target,
  check: { samples: vhdxCheckSamples, differences: vhdxDifferences, hasLines: true },
  matrix: { clusterSizes: [MiB], options: (clusterSize) => ({ block_size: String(clusterSize) }), isChecked: true },
};
