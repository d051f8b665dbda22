/** Defects in what is believed of a GPT, and in how its backup is moved. */

import type { Mutation } from "./mutation.ts";

const relocation = "test/unit/image/gpt/relocation.test.ts";
const hostile = "test/unit/image/gpt/hostile-gpt.test.ts";

export const gptMutations: readonly Mutation[] = [
  {
    name: "the GPT's primary points at the backup before that is there",
    file: "image/gpt/relocation.ts",
    find: "steps: steps.filter(",
    replace: "steps: steps.toReversed().filter(",
    tests: [relocation],
  },
  {
    name: "a GPT's backup in its place is taken for whole",
    file: "image/gpt/relocation.ts",
    find: "if (alternateLba !== PRIMARY_LBA || !isSame || entriesLba <= header.lastUsableLba) return false;",
    replace: "",
    tests: [relocation],
  },
  {
    name: "a changed disk is put back under somebody who came meanwhile",
    file: "convert/rearrange/relocate.ts",
    find: "  await session.refuseInterference();\n",
    replace: "",
    tests: ["test/unit/convert/conversion/relocation.test.ts > a disk that can't grow"],
  },
  {
    name: "the entries of a GPT's backup are not looked at",
    file: "image/gpt/relocation.ts",
    find: "return crc32(entries) === header.entriesCrc;",
    replace: "return entries.length > 0;",
    tests: [relocation],
  },
  {
    name: "a GPT's backup is written over a partition",
    file: "image/gpt/relocation.ts",
    find: "if (inTheWay !== undefined) throw",
    replace: "if (false) throw",
    tests: [hostile],
  },
  {
    name: "all of a large sector of a GPT is written",
    file: "image/gpt/relocation.ts",
    find: "primary.subarray(0, ATOMIC_SIZE)",
    replace: "primary",
    tests: [relocation],
  },
  {
    name: "a hybrid MBR's protective record grows over its partitions",
    file: "image/gpt/protective-mbr.ts",
    find: "if (!mayGrow || sizeInLba",
    replace: "if (sizeInLba",
    tests: [relocation],
  },
  {
    name: "a GPT of which the entries' sum is wrong is believed",
    file: "image/gpt/gpt.ts",
    find: "if (crc32(entries) !== header.entriesCrc) {",
    replace: "if (false) {",
    tests: [hostile],
  },
  {
    name: "a GPT that is there for two sizes of sectors is the smaller's",
    file: "image/gpt/gpt.ts",
    find: "if (sectorSizes.length > 1) {",
    replace: "if (false) {",
    tests: [hostile],
  },
  {
    name: "a GPT's entries may be as many as it says",
    file: "image/gpt/header.ts",
    find: "if (entryCount * entrySize > MAX_ENTRIES_BYTES) throw",
    replace: "if (false) throw",
    tests: [hostile],
  },
  {
    name: "a place of a GPT may lie past the end of the disk",
    file: "image/gpt/header.ts",
    find: "if (place >= sectors) throw",
    replace: "if (place > sectors) throw",
    tests: [hostile],
  },
];
