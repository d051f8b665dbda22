/** qcow2 for the tests. */

import type { FormatKit, QemuKit, SourceKit, TargetKit } from "../kit.ts";
import { KiB, MiB } from "../matrix-image.ts";
import { anyQcow2, buildQcow2Guest, shuffledQcow2 } from "./any-image.ts";
import { COPIED } from "./bytes.ts";
import { qcow2Cases } from "./cases.ts";
import { qcow2Differences } from "./check-differences.ts";
import { qcow2CheckSamples } from "./check-samples.ts";
import { qcow2FieldSites } from "./field-sites.ts";
import { qcow2FuzzSamples } from "./fuzz-samples.ts";
import { qcow2Matrix } from "./matrix.ts";
import { readQcow2Guest } from "./naive-reader.ts";

const BACKING_FORMAT_EXTENSION = 0xe2792aca;

const source: SourceKit = { anyImage: anyQcow2, shuffled: shuffledQcow2, samples: qcow2FuzzSamples };

const target: TargetKit = {
  options: [
    {},
    {},
    { cluster_size: "512" },
    { cluster_size: "4k", refcount_bits: "1" },
    { cluster_size: "64k" },
    { compat: "0.10" },
    { lazy_refcounts: "on", refcount_bits: "64" },
  ],
  unlikeDefault: { cluster_size: "2k" },
  choices: [
    {},
    { cluster_size: ["512", "4k", "32k", "64k"] },
    { refcount_bits: ["1", "8", "64"] },
    { compat: ["0.10"] },
  ],
  countsReferences: true,
  // Lazy refcounts, compatible feature bit 0.
  harmlessFlagAt: 87,
  pointerTo(hostOffset) {
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64BE(COPIED | BigInt(hostOffset));
    return entry;
  },
};

const qemu: QemuKit = {
  images: qcow2Matrix,
  smallOptions: { cluster_size: 4096 },
  giveBack: "discard",
  writesWholeClusters: false,
  forgetBackingFormat(head) {
    const end = head.readUInt32BE(12);
    let at = head.readUInt32BE(4) === 2 ? 72 : head.readUInt32BE(100);
    const after = () => at + 8 + Math.ceil(head.readUInt32BE(at + 4) / 8) * 8;
    while (head.readUInt32BE(at) !== BACKING_FORMAT_EXTENSION) at = after();
    head.copy(head, at, after(), end);
  },
};

export const qcow2Kit: FormatKit = {
  name: "qcow2",
  title: "qcow2",
  isProbed: true,
  isLittleEndian: false,
  build: buildQcow2Guest,
  naiveRead: readQcow2Guest,
  fieldSites: qcow2FieldSites,
  cases: qcow2Cases,
  source,
  target,
  check: { samples: qcow2CheckSamples, differences: qcow2Differences, hasLines: true },
  qemu,
  matrix: {
    clusterSizes: [512, 4 * KiB, 64 * KiB, 2 * MiB],
    options: (clusterSize) => ({ cluster_size: String(clusterSize) }),
    isChecked: true,
  },
};
