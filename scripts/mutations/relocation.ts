/** Defects in how a disk is changed on its way, and put back. */

import type { Mutation } from "./mutation.ts";

const relocation = "test/unit/convert/conversion/relocation.test.ts";
const power = "test/crash/relocation.test.ts";

export const relocationMutations: readonly Mutation[] = [
  {
    name: "a disk is cut before its GPT points at the backup in front of that",
    file: "convert/rearrange/relocate.ts",
    find: `return [...put, { purpose: "cut the disk to its old length", fileSize: oldFileSize }];`,
    replace: `return [{ purpose: "cut the disk to its old length", fileSize: oldFileSize }, ...put];`,
    tests: [power],
  },
  {
    name: "the way back overwrites what somebody wrote to a changed disk",
    file: "convert/undo/changed-disk.ts",
    find: "if (found !== undefined && !isOurs(found, before, after))",
    replace: "if (false)",
    tests: [relocation],
  },
  {
    name: "what a guest wrote to where its disk has grown is cut off",
    file: "convert/undo/changed-disk.ts",
    find: "if (bytes.some((byte) => byte !== 0))",
    replace: "if (false)",
    tests: [relocation],
  },
  {
    name: "the way back forgets a changed disk once another journal has come",
    file: "convert/conversion/walk.ts",
    find: "return { ...rest, stepsTaken, ...(this.#changed && { changed: this.#changed }) };",
    replace: "return { ...rest, stepsTaken };",
    tests: [relocation],
  },
  {
    name: "the step behind a change that was cut off takes itself for the only one",
    file: "convert/recovery/rearrangement-recovery.ts",
    find: 'stepsTaken: journey.stepsTaken + (goal === "zeros" ? 0 : 1)',
    replace: "stepsTaken: journey.stepsTaken",
    tests: [power],
  },
  {
    name: "the checksum of a changed disk is taken of it as it was",
    file: "convert/conversion/known-guest.ts",
    find: "this.#digest = this.#changed;",
    replace: "",
    tests: [relocation],
  },
  {
    name: "a sector of a changed disk that can't be read any more stays so",
    file: "convert/undo/changed-disk.ts",
    find: "if (isLost && guestOffset < size)",
    replace: "if (false)",
    tests: [relocation],
  },
  {
    name: "the block of a primary header in a large sector is not saved on the way back",
    file: "convert/rearrange/relocate.ts",
    find: "if (!writes.some(({ hostOffset }) => hostOffset >= HEADER_BLOCK && hostOffset < FRONT)) return;",
    replace: "if (writes.length >= 0) return;",
    tests: [relocation],
  },
  {
    name: "a journal may tell of one sector of a changed disk twice",
    file: "journal/changed-disk.ts",
    find: "if (taken.intersects(guestOffset, end)) return false;",
    replace: "",
    tests: ["test/unit/journal/changed-disk.test.ts"],
  },
];
