/** What is believed of a Parallels header and BAT, and what is mended there. */

import type { Mutation } from "./mutation.ts";

const corpus = "test/oracle/corpus.test.ts > parallels";
const oracle = "test/oracle/parallels.test.ts";
const repair = "test/unit/formats/parallels/repair.test.ts";

export const parallelsMutations: readonly Mutation[] = [
  {
    name: "the upper half of an older Parallels disk's size counts",
    file: "formats/parallels/header.ts",
    find: "(magic === MAGICS.byTrack ? sectorCount.high * 2 ** 32 : 0)",
    replace: "(sectorCount.high * 2 ** 32)",
    tests: [corpus],
  },
  {
    name: "an older BAT counts tracks",
    file: "formats/parallels/header.ts",
    find: "entryUnit: isByTrack ? trackSize : SECTOR_SIZE,",
    replace: "entryUnit: trackSize,",
    tests: [corpus],
  },
  {
    name: "a Parallels disk may go on behind its BAT",
    file: "formats/parallels/header.ts",
    find: "if (sectors > batCount * tracks) {",
    replace: "if (sectors > batCount * tracks * 4096) {",
    tests: [corpus],
  },
  {
    name: "tracks that share bytes are two",
    file: "formats/parallels/bat.ts",
    find: ">= trackSize) continue;",
    replace: ">= 512) continue;",
    tests: [corpus],
  },
  {
    name: "what a format extension has is leaked",
    file: "formats/parallels/bat.ts",
    find: "if (bytes <= 0 || extension !== undefined) return;",
    replace: "if (bytes <= 0) return;",
    tests: [oracle],
  },
  {
    name: "a Parallels image is marked as closed while entries lead out of it",
    file: "formats/parallels/repair.ts",
    find: "const clears = isMendable && isMarked && isClean;",
    replace: "const clears = isMendable && isMarked;",
    tests: [repair],
  },
  {
    name: "entries that lead out of a Parallels image go without a word",
    file: "formats/parallels/repair.ts",
    find: "const isDropping = isLossless || allowDataLoss;",
    replace: "const isDropping = true;",
    tests: [repair],
  },
  {
    name: "a Parallels BAT on which a track lies is mended",
    file: "formats/parallels/repair.ts",
    find: 'const isMendable = scope === "all" && !scan.isOnMetadata;',
    replace: 'const isMendable = scope === "all";',
    tests: ["test/oracle/repair-parallels.test.ts"],
  },
];
