/** Where we mean to differ from qemu-img's check of a VHDX. */

import type { KnownDifference } from "../check-verdict.ts";

export const vhdxDifferences: readonly KnownDifference[] = [
  {
    name: "a VHDX entry with a state that no block can have",
    mostInThousand: 60,
    isIt: ({ ours }) => ours.findings.some(({ kind }) => kind === "block-state"),
  },
];
