/** Sparse VMDK for the tests: as a stream with a footer where one is to stand for all, since its file's end has a meaning. */

import { BLOCK_SIZE } from "../../guest-contents.ts";
import type { FormatKit, QemuKit, TargetKit } from "../../kit.ts";
import { KiB, TiB } from "../../matrix-image.ts";
import { anySparse, shuffledSparse, sparseSamples } from "../any-image.ts";
import { readByOthers } from "../other-readers.ts";
import { buildSparse } from "./builder.ts";
import { sparseCases } from "./cases.ts";
import { sparseFieldSites } from "./field-sites.ts";
import { sparseMatrix } from "./matrix.ts";
import { readSparseNaively } from "./naive-reader.ts";

const target: TargetKit = {
  options: [{}, {}, { subformat: "monolithicSparse" }, { adapter_type: "lsilogic" }],
  unlikeDefault: { adapter_type: "buslogic" },
  choices: [{}, { adapter_type: ["ide", "lsilogic", "legacyESX"] }],
  countsReferences: true,
  needsFront: true,
  hasNoBacking: true,
  // Padding behind the last field.
  harmlessFlagAt: 100,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(4);
    entry.writeUInt32LE(hostOffset / 512);
    return entry;
  },
};

const qemu: QemuKit = {
  images: sparseMatrix,
  smallOptions: { subformat: "monolithicSparse" },
  largestDisk: 2 * TiB,
  giveBack: "write -z",
  writesWholeClusters: false,
  forgetBackingFormat() {
    throw new Error("A VMDK's backing file has no format to be forgotten");
  },
};

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
  target,
  qemu,
  matrix: {
    clusterSizes: [64 * KiB],
    options: () => ({ subformat: "monolithicSparse" }),
    isChecked: true,
    askOthers: readByOthers(/^Monolithic sparse/),
  },
};
