/** Sparse VMDK for the tests: as a stream with a footer where one is to stand for all, since its file's end has a meaning. */

import { BLOCK_SIZE } from "../../guest-contents.ts";
import type { FormatKit } from "../../kit.ts";
import { anySparse, shuffledSparse, sparseSamples } from "../any-image.ts";
import { buildSparse } from "./builder.ts";
import { sparseCases } from "./cases.ts";
import { sparseFieldSites } from "./field-sites.ts";
import { readSparseNaively } from "./naive-reader.ts";

export const sparseVmdkKit: FormatKit = {
  name: "vmdk",
  title: "sparse VMDK",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => new Uint8Array(buildSparse({ ...contents, grainSize: BLOCK_SIZE, isStream: true }).bytes),
  naiveRead: readSparseNaively,
  fieldSites: sparseFieldSites,
  cases: sparseCases,
  source: { anyImage: anySparse, shuffled: shuffledSparse, samples: sparseSamples },
};
