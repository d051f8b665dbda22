/** Where the tables of a QED lie that is to be damaged. */

import type { PatchedImage } from "../../support/patched-image.ts";

export const qedPlaces = {
  l1: (image: PatchedImage): number => image.read(40),
  l2: (image: PatchedImage): number => image.read(image.read(40)),
} as const;
