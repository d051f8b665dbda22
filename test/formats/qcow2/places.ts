/** Where the tables of a qcow2 lie that is to be damaged. */

import type { PatchedImage } from "../../support/patched-image.ts";

/** Bits 9 to 55 of a table entry, as far as test images reach. */
const PLACE = 2 ** 56;

export const qcow2Places = {
  l1: (image: PatchedImage): number => image.read(40),
  l2: (image: PatchedImage): number => image.read(image.read(40)) % PLACE,
  refcountTable: (image: PatchedImage): number => image.read(48),
  refcountBlock: (image: PatchedImage): number => image.read(image.read(48)),
} as const;
