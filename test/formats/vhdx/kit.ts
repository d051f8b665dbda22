/** VHDX for the tests. */

import type { FormatKit, SourceKit } from "../kit.ts";
import { anyVhdx, shuffledVhdx, vhdxSamples } from "./any-image.ts";
import { buildVhdx } from "./builder.ts";
import { vhdxCases } from "./cases.ts";
import { vhdxDifferences } from "./check-differences.ts";
import { vhdxCheckSamples } from "./check-samples.ts";
import { vhdxFieldSites } from "./field-sites.ts";
import { readVhdxNaively } from "./naive-reader.ts";

const source: SourceKit = { anyImage: anyVhdx, runs: 6, shuffled: shuffledVhdx, samples: vhdxSamples };

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
  check: { samples: vhdxCheckSamples, differences: vhdxDifferences, hasLines: true },
};
