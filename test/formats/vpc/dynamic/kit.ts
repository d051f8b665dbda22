/** Dynamic VHD for the tests, as a source: its blocks as small as QEMU reads them. */

import type { FormatKit } from "../../kit.ts";
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
  source: { anyImage: anyDynamic, shuffled: shuffledDynamic, samples: dynamicSamples },
};
