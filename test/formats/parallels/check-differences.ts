/** Where we mean to differ from qemu-img's check of a Parallels image; the reasons are in docs/decisions/where-check-differs-from-qemu-img.md. */

import { type KnownDifference, weRefuse } from "../check-verdict.ts";

export const parallelsDifferences: readonly KnownDifference[] = [
  {
    name: "a Parallels image whose BAT is too short or cut off",
    mostInThousand: 15,
    isIt: (found) => weRefuse(found, /tracks hold|ends outside the file|end outside the file|Parallels header/),
  },
  {
    // It takes the end of the first track for that of an image that stores nothing, though its BAT goes on.
    name: "a Parallels image that stores nothing before its data begins",
    mostInThousand: 5,
    isIt: ({ theirs, ours }) => (theirs.numbers?.leaks ?? 0) > (ours.numbers?.leaks ?? 0),
  },
];
