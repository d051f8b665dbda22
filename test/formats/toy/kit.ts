/** The toy for the tests: a format of theirs alone, which proves that a new one needs nothing but its own files. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit, SourceKit, TargetKit } from "../kit.ts";
import { anyToy, shuffledToy, toySamples } from "./any-image.ts";
import { buildToy } from "./builder.ts";
import { toyCases } from "./cases.ts";
import { toyDriver } from "./driver/driver.ts";
import { toyFieldSites } from "./field-sites.ts";
import { readToyNaively } from "./naive-reader.ts";

const source: SourceKit = { anyImage: anyToy, shuffled: shuffledToy, samples: toySamples };

const target: TargetKit = {
  options: [{}, {}, { block_size: "4k" }, { block_size: "32k" }],
  unlikeDefault: { block_size: "64k" },
  choices: [{}, { block_size: ["4k", "16k", "64k", "1M"] }],
  countsReferences: true,
  // The rest of the first sector is nobody's.
  harmlessFlagAt: 40,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64BE(BigInt(hostOffset));
    return entry;
  },
};

export const toyKit: FormatKit = {
  name: "toy",
  title: "a toy",
  driver: toyDriver,
  isProbed: true,
  isLittleEndian: false,
  build: (contents) => buildToy({ ...contents, blockSize: BLOCK_SIZE }).bytes,
  naiveRead: readToyNaively,
  fieldSites: toyFieldSites,
  cases: toyCases,
  source,
  target,
};
