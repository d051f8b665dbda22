/** raw for the tests: the guest's own bytes, which tell nothing of themselves. */

import { guestBytesOf } from "../guest-contents.ts";
import type { FormatKit } from "../kit.ts";
import { rawCases } from "./cases.ts";

export const rawKit: FormatKit = {
  name: "raw",
  title: "raw",
  isProbed: false,
  isLittleEndian: true,
  build: guestBytesOf,
  naiveRead: (image) => image,
  cases: rawCases,
  matrix: { clusterSizes: [undefined], options: () => ({}), isChecked: false },
};
