/** Flat VMDK for the tests: two files, which the suites hold as one. */

import type { FormatKit } from "../kit.ts";
import { vmdkCases } from "./cases.ts";
import { vmdkFieldSites } from "./field-sites.ts";
import { buildJoined, storageOfJoined } from "./joined.ts";
import { readFlatNaively } from "./naive-reader.ts";
import { readByOthers } from "./other-readers.ts";
import { splitCases } from "./split-cases.ts";

export const vmdkKit: FormatKit = {
  name: "vmdk",
  title: "flat VMDK",
  isProbed: true,
  isLittleEndian: true,
  build: buildJoined,
  naiveRead: readFlatNaively,
  storageOf: storageOfJoined,
  fieldSites: vmdkFieldSites,
  cases: [...vmdkCases, ...splitCases],
  matrix: {
    clusterSizes: [undefined],
    options: () => ({ subformat: "monolithicFlat" }),
    isChecked: true,
    askOthers: readByOthers(/^Monolithic flat/),
  },
};
