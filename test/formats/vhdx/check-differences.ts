/** Where we mean to differ from qemu-img's check of a VHDX; the reasons are in docs/decisions/where-check-differs-from-qemu-img.md. */

import { type KnownDifference, theySay, weRefuse } from "../check-verdict.ts";
import { isSealed, KiB, REGION_TABLES } from "./bytes.ts";

export const vhdxDifferences: readonly KnownDifference[] = [
  {
    name: "a VHDX entry with a state that no block can have",
    mostInThousand: 40,
    isIt: ({ ours }) => ours.findings.some(({ kind }) => kind === "block-state"),
  },
  {
    name: "a VHDX whose first region table is damaged, and whose second is not",
    mostInThousand: 20,
    isIt: (found) => {
      const [first, second] = REGION_TABLES.map((at) => isSealed(found.bytes.subarray(at, at + 64 * KiB), "regi"));
      return theySay(found, /Invalid argument/) && !first && second === true;
    },
  },
  {
    name: "a VHDX header, region or metadata item that breaks a rule QEMU does not look at",
    mostInThousand: 20,
    isIt: (found) =>
      weRefuse(
        found,
        /flags .* are unknown|ends outside the file|is no run of whole MiB|physical sector size|whole sectors|item \S+ (?:lies|overlaps|has|is there|is required)|do not say the same/,
      ),
  },
];
