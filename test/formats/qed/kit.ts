/** QED for the tests. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit, QemuKit, SourceKit, TargetKit } from "../kit.ts";
import { KiB, MiB } from "../matrix-image.ts";
import { anyQed, shuffledQed } from "./any-image.ts";
import { buildQedImage } from "./builder.ts";
import { qedCases } from "./cases.ts";
import { qedDifferences } from "./check-differences.ts";
import { qedCheckSamples } from "./check-samples.ts";
import { qedFieldSites } from "./field-sites.ts";
import { qedFuzzSamples } from "./fuzz-samples.ts";
import { qedMatrix } from "./matrix.ts";
import { readQedNaively } from "./naive-reader.ts";

const FEATURES_AT = 16;
const BACKING_FORMAT_NO_PROBE = 4;

const source: SourceKit = { anyImage: anyQed, shuffled: shuffledQed, samples: qedFuzzSamples };

const target: TargetKit = {
  options: [{}, {}, { cluster_size: "4k" }, { cluster_size: "32k" }],
  unlikeDefault: { table_size: "8" },
  choices: [{}, { cluster_size: ["4k", "16k", "64k", "1M"] }, { table_size: ["2", "4", "8"] }],
  countsReferences: false,
  // Compatible feature bit 0, which nobody knows.
  harmlessFlagAt: 24,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64LE(BigInt(hostOffset));
    return entry;
  },
};

const qemu: QemuKit = {
  images: qedMatrix,
  smallOptions: { cluster_size: 4096, table_size: 2 },
  giveBack: "write -z",
  writesWholeClusters: true,
  forgetBackingFormat(head) {
    head.writeUInt32LE(head.readUInt32LE(FEATURES_AT) & ~BACKING_FORMAT_NO_PROBE, FEATURES_AT);
  },
};

export const qedKit: FormatKit = {
  name: "qed",
  title: "QED",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => buildQedImage({ ...contents, clusterSize: BLOCK_SIZE }).bytes,
  naiveRead: (image) => readQedNaively(image).guest,
  fieldSites: qedFieldSites,
  cases: qedCases,
  source,
  target,
  check: { samples: qedCheckSamples, differences: qedDifferences, hasLines: false },
  qemu,
  matrix: {
    clusterSizes: [4 * KiB, 64 * KiB, 2 * MiB],
    options: (clusterSize) => ({ cluster_size: String(clusterSize) }),
    isChecked: true,
  },
};
