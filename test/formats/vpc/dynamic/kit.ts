/** Dynamic VHD for the tests: as a source its blocks are as small as QEMU reads them. */

import type { FormatKit } from "../../kit.ts";
import { MiB } from "../../matrix-image.ts";
import { readByOthers } from "../other-readers.ts";
import { anyDynamic, dynamicSamples, shuffledDynamic } from "./any-image.ts";
import { buildDynamicOf } from "./builder.ts";
import { dynamicCases } from "./cases.ts";
import { dynamicFieldSites } from "./field-sites.ts";
import { readDynamicNaively } from "./naive-reader.ts";

export const dynamicVpcKit: FormatKit = {
  name: "vpc",
  title: "dynamic VHD",
  isProbed: true,
  isLittleEndian: false,
  build: (contents) => buildDynamicOf(contents).bytes,
  naiveRead: readDynamicNaively,
  fieldSites: dynamicFieldSites,
  cases: dynamicCases,
  matrix: {
    clusterSizes: [2 * MiB],
    options: () => ({ subformat: "dynamic", force_size: "on" }),
    isChecked: false,
    askOthers: readByOthers,
  },
  source: { anyImage: anyDynamic, shuffled: shuffledDynamic, samples: dynamicSamples },
};
