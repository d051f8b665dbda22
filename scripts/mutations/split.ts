/** What a disk in several files is made of, and what becomes of a text that names one. */

import type { Mutation } from "./mutation.ts";

const oracle = "test/oracle/split-vmdk.test.ts";
const cuts = "test/crash/split.test.ts";
const bundles = "test/unit/convert/bundle.test.ts";

export const splitMutations: readonly Mutation[] = [
  {
    name: "two files of a disk may lie side by side",
    file: "storage/joined.ts",
    find: "length: alignUp((await storage.size()) + 1, MiB)",
    replace: "length: alignUp(await storage.size(), MiB)",
    tests: ["test/unit/storage/joined.test.ts"],
  },
  {
    name: "a place in one of several files is told as if there were one",
    file: "convert/reading/map.ts",
    find: "return { ...entry, offset: hostOffset, filename: file.path };",
    replace: "return { ...entry, filename: file.path };",
    tests: [oracle],
  },
  {
    name: "a grain of a further file is told as if it were the first's",
    file: "formats/vmdk/sparse/grain-scan.ts",
    find: "guestStart + (grain + present) * grainSize,",
    replace: "(grain + present) * grainSize,",
    tests: [oracle],
  },
  {
    name: "a descriptor may name a file twice",
    file: "formats/vmdk/extents.ts",
    find: "if (names.has(line.fileName))",
    replace: "if (names.size > MAX_FILES)",
    tests: ["test/oracle/corpus.test.ts > refuse/vmdk/corrupt--split"],
  },
  {
    name: "a descriptor stays that says what its file is no more",
    file: "convert/switch/finish.ts",
    find: "    await removeText(session, text);",
    replace: "",
    tests: [cuts],
  },
  {
    name: "the way back stays open while its descriptor goes",
    file: "convert/switch/finish.ts",
    find: "cutTo !== undefined || text !== undefined || settlesIt",
    replace: "cutTo !== undefined || settlesIt",
    tests: [cuts],
  },
  {
    name: "a file is converted that a second descriptor names",
    file: "convert/conversion/wish.ts",
    find: "return isNamed || (",
    replace: "return (",
    tests: [oracle],
  },
  {
    name: "an image of a bundle's several is taken for all of its disk",
    file: "formats/parallels/bundle.ts",
    find: "if (files.length > 1)",
    replace: "if (files.length > 99)",
    tests: [bundles],
  },
  {
    name: "zeros are looked for in units of any size",
    file: "convert/conversion/walk.ts",
    find: "return Math.min(goalUnit(source, journey.goalFormat, this.#settings), MAX_ZERO_UNIT);",
    replace: "return goalUnit(source, journey.goalFormat, this.#settings);",
    tests: ["test/unit/convert/large-units-of-zeros.test.ts"],
  },
];
