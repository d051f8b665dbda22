/** Defects of the undo as a copy that shares its space. */

import type { Mutation } from "./mutation.ts";

const crash = "test/crash/saved-copy.test.ts";

export const undoCopyMutations: readonly Mutation[] = [
  {
    name: "the copy is not made durable",
    file: "convert/undo/saved-copy.ts",
    find: "    await copy.sync();\n",
    replace: "",
    tests: [crash],
  },
  {
    name: "the old bytes come back over what a guest wrote",
    file: "convert/recovery/restore-copy.ts",
    find: "(await firstGuestDifference(...views, { signal })) === null",
    replace: "views.length > 0",
    tests: [crash],
  },
  {
    name: "that the copy takes the image's name is not recorded before",
    file: "convert/recovery/restore-copy.ts",
    find: '    await journal.append({ record: "restoring", format, digest });\n',
    replace: "",
    tests: [crash],
  },
  {
    name: "a copy that somebody removed has taken the image's name",
    file: "convert/recovery/restore-copy.ts",
    find: "if (origin === undefined || (isTold(origin) && told !== origin)) return false;",
    replace: "if (origin === undefined) return false;",
    tests: [crash],
  },
  {
    name: "a copy of the same format that somebody removed has taken the image's name",
    file: "convert/recovery/restore-copy.ts",
    find: "(await traitsOf(now, origin)) !== digest",
    replace: "now.format === format",
    tests: [crash],
  },
  {
    name: "whatever has the copy's name takes the image's",
    file: "convert/recovery/restore-copy.ts",
    find: "(await volume.isSameFile(copy.path, copy)) && ",
    replace: "",
    tests: [crash],
  },
  {
    name: "the old bytes come back over a disk that somebody made longer",
    file: "convert/recovery/restore-copy.ts",
    find: 'if (now.virtualSize > longestOf(old, journey)) return "its disk is longer by now";',
    replace: "",
    tests: [crash],
  },
  {
    name: "a copy that no journal tells of stays",
    file: "convert/recovery/recover.ts",
    find: "await removeCopy(session.volume, journalNamesOf(session.path).copy);",
    replace: "",
    tests: [crash],
  },
];
