/** Defects in what is not read: holes, and zeros that are known. */

import type { Mutation } from "./mutation.ts";
import { compareViews, rawDriver, reading, zeroUnits } from "./suspects.ts";

export const readingMutations: readonly Mutation[] = [
  {
    name: "a disk that holds something has an empty disk's digest",
    file: "image/guest/digest.ts",
    find: "this.#leadingZeros === virtualSize ? digestOfZeroDisk(virtualSize)",
    replace: "virtualSize > 0 ? digestOfZeroDisk(virtualSize)",
    tests: ["test/unit/image/guest/digest.test.ts"],
  },
  {
    name: "zeros before the first block that is stored are not hashed",
    file: "image/guest/digest.ts",
    find: "    await this.#feedLeadingZeros(turns);\n    this.#hash.update(digests);",
    replace: "    this.#leadingZeros = undefined;\n    this.#hash.update(digests);",
    tests: ["test/unit/image/guest/digest.test.ts"],
  },
  {
    name: "an image is closed while its holes are asked for",
    file: "convert/reading/compare.ts",
    find: "const [viewA, viewB] = await Promise.allSettled([view(a), view(b)]);",
    replace:
      "await Promise.all([view(a), view(b)]);\n  const [viewA, viewB] = await Promise.allSettled([view(a), view(b)]);",
    tests: [reading],
  },
  {
    name: "the end of a raw image is data, whatever it is",
    file: "image/in-one-piece.ts",
    find: "extents.append(virtualSize - extents.end, ExtentState.zero, extents.end);",
    replace: "extents.append(virtualSize - extents.end, ExtentState.data, extents.end);",
    tests: [rawDriver],
  },
  {
    name: "data that a grown file has past a raw image's end is the image's",
    file: "image/in-one-piece.ts",
    find: ".clippedTo(0, virtualSize).each()",
    replace: ".each()",
    tests: [rawDriver],
  },
  {
    name: "a chunk is zeros where it begins with them",
    file: "image/guest/compare.ts",
    find: "readsAsZeros(table, row) && (end >= guestOffset + length || end === virtualSize)",
    replace: "readsAsZeros(table, row)",
    tests: [compareViews],
  },
  {
    name: "a buffer is used again while it is compared",
    file: "image/guest/compare.ts",
    find: "this.#next++ % (CHUNKS_AHEAD + 1)",
    replace: "this.#next++ % (CHUNKS_AHEAD - 1)",
    tests: [compareViews],
  },
  {
    name: "a unit is zeros where a part of it is",
    file: "image/guest/zero-units.ts",
    find: "end === virtualSize ? end : alignDown(end, unitSize)",
    replace: "end === virtualSize ? end : alignUp(end, unitSize)",
    tests: [zeroUnits],
  },
  {
    name: "a short last unit is none",
    file: "image/guest/zero-units.ts",
    find: "end === virtualSize ? end : alignDown(end, unitSize)",
    replace: "alignDown(end, unitSize)",
    tests: [zeroUnits],
  },
  {
    name: "zeros lie where the blocks of one batch do, not where the guest has them",
    file: "image/guest/zero-units.ts",
    find: "(pieces[at] as number) - start + guestOffset",
    replace: "(pieces[at] as number) + guestOffset",
    tests: [zeroUnits],
  },
  {
    name: "zeros are looked for in whole blocks alone",
    file: "image/guest/see-blocks.ts",
    find: "zeroPieces(block, zeroGrain, at)",
    replace: "[]",
    tests: [zeroUnits],
  },
];
