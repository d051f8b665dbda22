/** Fixed VHD for the tests: the guest's own bytes and a footer. */

import type { FormatKit } from "../kit.ts";
import { buildVpc } from "./builder.ts";
import { vpcCases } from "./cases.ts";
import { vpcFieldSites } from "./field-sites.ts";
import { readVpcNaively } from "./naive-reader.ts";
import { readByOthers } from "./other-readers.ts";

export const vpcKit: FormatKit = {
  name: "vpc",
  title: "fixed VHD",
  isProbed: true,
  isLittleEndian: false,
  build: (contents) => buildVpc(contents).bytes,
  naiveRead: readVpcNaively,
  fieldSites: vpcFieldSites,
  cases: vpcCases,
  matrix: {
    clusterSizes: [undefined],
    options: () => ({ subformat: "fixed", force_size: "on" }),
    isChecked: false,
    askOthers: readByOthers,
  },
};
