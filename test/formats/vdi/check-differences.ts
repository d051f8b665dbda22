/** Where we mean to differ from qemu-img's check of a VDI: it opens what no block could be told from. */

import { type KnownDifference, weRefuse } from "../check-verdict.ts";

export const vdiDifferences: readonly KnownDifference[] = [
  {
    name: "a VDI whose header leads nowhere, or to a parent",
    mostInThousand: 10,
    isIt: (found) =>
      weRefuse(
        found,
        /do not fit together|ends outside the file|on its block map|have \d+ bytes before|is none of 1 to 4|VDI image \((undo|differencing)\)|end outside the file|Cannot read the VDI header/,
      ),
  },
];
