/** qcow (version 1) for the tests. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit, SourceKit } from "../kit.ts";
import { anyQcow, qcowSamples, shuffledQcow } from "./any-image.ts";
import { buildQcow } from "./builder.ts";
import { qcowCases } from "./cases.ts";
import { qcowFieldSites } from "./field-sites.ts";
import { readQcowNaively } from "./naive-reader.ts";

const source: SourceKit = { anyImage: anyQcow, shuffled: shuffledQcow, samples: qcowSamples };

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
};
