/** qcow (version 1) for the tests. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit, QemuKit, SourceKit, TargetKit } from "../kit.ts";
import { KiB } from "../matrix-image.ts";
import { anyQcow, qcowSamples, shuffledQcow } from "./any-image.ts";
import { buildQcow } from "./builder.ts";
import { qcowCases } from "./cases.ts";
import { qcowFieldSites } from "./field-sites.ts";
import { qcowMatrix } from "./matrix.ts";
import { readQcowNaively } from "./naive-reader.ts";
import { readByOthers } from "./other-readers.ts";

const source: SourceKit = { anyImage: anyQcow, shuffled: shuffledQcow, samples: qcowSamples };

const target: TargetKit = {
  options: [{}, {}, { cluster_size: "512" }, { cluster_size: "4k" }, { cluster_size: "64k" }],
  unlikeDefault: { cluster_size: "2k" },
  choices: [{}, { cluster_size: ["512", "4k", "32k", "64k"] }],
  countsReferences: false,
  hasSectorsOverBacking: true,
  // The time of the backing file's last change, which nobody asks for.
  harmlessFlagAt: 23,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64BE(BigInt(hostOffset));
    return entry;
  },
};

const qemu: QemuKit = {
  images: qcowMatrix,
  smallOptions: {},
  largestDisk: 4 * 1024 ** 3,
  giveBack: "write -z",
  writesWholeClusters: false,
  // It never stood there.
  forgetBackingFormat() {},
};

export const qcowKit: FormatKit = {
  name: "qcow",
  title: "a qcow of version 1",
  isProbed: true,
  isLittleEndian: false,
  build: ({ virtualSize, data }) => buildQcow({ virtualSize, data, clusterSize: BLOCK_SIZE }).bytes,
  naiveRead: (image) => readQcowNaively(image).guest,
  fieldSites: qcowFieldSites,
  cases: qcowCases,
  source,
  target,
  qemu,
  matrix: {
    clusterSizes: [4 * KiB],
    options: (clusterSize) => ({ cluster_size: String(clusterSize) }),
    makeOptions: () => ({}),
    isChecked: false,
    askOthers: readByOthers,
  },
};
