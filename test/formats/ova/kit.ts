/** OVA for the tests, as a source: a stream with a footer in it, since its file's end has a meaning. */

import { BLOCK_SIZE } from "../guest-contents.ts";
import type { FormatKit } from "../kit.ts";
import { buildSparse } from "../vmdk/sparse/builder.ts";
import { anyOva, ovaSamples, shuffledOva } from "./any-image.ts";
import { buildOva } from "./builder.ts";
import { ovaCases } from "./cases.ts";
import { ovaFieldSites } from "./field-sites.ts";
import { readOvaNaively } from "./naive-reader.ts";

export const ovaKit: FormatKit = {
  name: "ova",
  title: "OVA",
  isProbed: true,
  isLittleEndian: true,
  build: (contents) => {
    const { bytes: disk } = buildSparse({ ...contents, grainSize: BLOCK_SIZE, isStream: true });
    return new Uint8Array(buildOva({ disk, manifest: "SHA256" }).bytes);
  },
  naiveRead: readOvaNaively,
  fieldSites: ovaFieldSites,
  cases: ovaCases,
  source: { anyImage: anyOva, shuffled: shuffledOva, samples: ovaSamples, comesBack: true },
};
