/** Where we mean to differ from qemu-img's check of a QED; the reasons are in docs/decisions/where-check-differs-from-qemu-img.md. */

import { type KnownDifference, theySay, weRefuse } from "../check-verdict.ts";

export const qedDifferences: readonly KnownDifference[] = [
  {
    name: "a QED file whose last cluster lacks less than a sector",
    mostInThousand: 10,
    isIt: ({ bytes }) => {
      const rest = bytes.length % bytes.readUInt32LE(4);
      return rest > 0 && rest > bytes.readUInt32LE(4) - 512;
    },
  },
  {
    name: "a QED header of no clusters",
    mostInThousand: 5,
    isIt: (found) => weRefuse(found, /header size 0 is out of range/),
  },
  {
    name: "a QED table of one cluster",
    mostInThousand: 2,
    isIt: (found) => theySay(found, /QED table offset is invalid/),
  },
];
