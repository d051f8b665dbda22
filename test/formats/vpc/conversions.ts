/** Fixed VHD as a source and a target of conversions, for the suites that ask every pair of formats. */

import type { SourceKit, TargetKit } from "../kit.ts";
import { anyVpc, shuffledVpc, vpcSamples } from "./any-image.ts";

export const vpcSource: SourceKit = { anyImage: anyVpc, shuffled: shuffledVpc, samples: vpcSamples };

const FIXED = { subformat: "fixed", force_size: "on" } as const;

export const vpcTargetKit: TargetKit = {
  options: [FIXED, FIXED, { subformat: "fixed" }, { ...FIXED, align: "8k" }],
  unlikeDefault: { subformat: "fixed", align: "64k" },
  choices: [{ subformat: ["fixed"] }, { subformat: ["fixed"], align: ["512", "4k", "64k", "1M"] }],
  countsReferences: true,
  // Of the guest's own first sector: a footer has nothing that a program may set and leave its sum alone.
  harmlessFlagAt: 40,
  pointerTo() {
    throw new Error("a fixed VHD points at nothing");
  },
};
