/** What is believed of a qcow of version 1, and which of its words follow what moves. */

import type { Mutation } from "./mutation.ts";

const reading = "test/unit/formats/qcow/image.test.ts";
const moving = "test/property/qcow-rearranger.property.test.ts";
const units = "test/unit/plan/place-units.test.ts";

export const qcowMutations: readonly Mutation[] = [
  {
    name: "streams that overlap in a qcow are taken for damage",
    file: "formats/qcow/places.ts",
    find: "if (hostOffset < lastEnd && !(Owner.isStream(owner) && Owner.isStream(other))) {",
    replace: "if (hostOffset < lastEnd) {",
    tests: [reading],
  },
  {
    name: "data that a qcow uses twice is sound",
    file: "formats/qcow/scan.ts",
    find: "for (const overlap of places.overlaps()) this.#findings.overlap(overlap);",
    replace: "",
    tests: [reading],
  },
  {
    name: "a qcow's tables are followed however many there are",
    file: "formats/qcow/scan.ts",
    find: "if (l1Index.length * l2TableSize > MAX_L2_BYTES) {",
    replace: "if (l2TableSize > MAX_L2_BYTES) {",
    tests: [reading],
  },
  {
    name: "a word in a qcow's table that moves is written at its old place alone",
    file: "formats/qcow/rearranger.ts",
    find: "if (change.twin !== undefined) writes.push({ hostOffset: change.twin, bytes: word });",
    replace: "",
    tests: [moving],
  },
  {
    name: "entries in two sectors are re-pointed",
    file: "formats/qcow/image.ts",
    find: "if (straddling !== undefined) {",
    replace: "if (straddling === -1) {",
    tests: [reading],
  },
  {
    name: "a stream stays that is longer than the target can tell",
    file: "plan/place-units.ts",
    find: "wholeCluster && stored <= maxStored &&",
    replace: "wholeCluster &&",
    tests: [units],
  },
];
