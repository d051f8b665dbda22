/** Defects in what is asked for and what is told: options, compaction, zeros given back, the picture of a file. */

import type { Mutation } from "./mutation.ts";
import { looks } from "./suspects.ts";

const compact = "test/unit/convert/compact.test.ts";
const zeros = "test/unit/convert/conversion/zeros-given-back.test.ts";
const inputs = "test/unit/action/inputs/space-inputs.test.ts";
const allImages = "test/unit/action/images/all-images.test.ts";
const filesInUse = "test/unit/action/images/files-in-use.test.ts";
const filesOfImage = "test/unit/action/images/files-of-image.test.ts";
const sideBySide = "test/unit/action/images/side-by-side.test.ts";
const layout = "test/unit/image/file-layout.test.ts";
const rules = "test/unit/convert/options/option-rules.test.ts";

export const facesMutations: readonly Mutation[] = [
  {
    name: "zeros are given back wherever they lay",
    file: "convert/conversion/give-zeros-back.ts",
    find: "for (const free of used.gapsIn(linearBase + start, linearBase + end)) ranges.add(free.start, free.end);",
    replace: "ranges.add(linearBase + start, linearBase + end);",
    tests: [zeros],
  },
  {
    name: "zeros are given back under somebody who came meanwhile",
    file: "convert/conversion/give-zeros-back.ts",
    find: "await session.refuseInterference();",
    replace: "",
    tests: [looks],
  },
  {
    name: "zeros are given back where data was settled",
    file: "convert/conversion/give-zeros-back.ts",
    find: "used.add(hostOffset, hostOffset + (state === ExtentState.compressed ? storedLength : length));",
    replace: "used.add(0, 0);",
    tests: [zeros],
  },
  {
    name: "a compaction that finds nothing to do is told as a change",
    file: "convert/conversion/walk.ts",
    find: `this.#journal === undefined && this.#taken.every(({ step }) => step === "rearrange");`,
    replace: "false;",
    tests: [compact],
  },
  {
    name: "a disk in one piece is compacted",
    file: "convert/compact.ts",
    find: "if (!driverOf(format).canRearrange) {",
    replace: "if (false) {",
    tests: [compact],
  },
  {
    name: "runs of zeros may end inside a sector",
    file: "convert/options/option-rules.ts",
    find: "Number(value) % SECTOR_SIZE === 0",
    replace: "true",
    tests: [rules],
  },
  {
    name: "a format's own lack is told although an option makes up for it",
    file: "action/inputs/input-mistakes.ts",
    find: ".filter((sentence) => withOptions.includes(sentence))",
    replace: "",
    tests: [inputs],
  },
  {
    name: "the action's default for zeros is asked of every format",
    file: "action/inputs/inputs.ts",
    find: "text === inputDefaults[name] ? undefined",
    replace: `text === "" ? undefined`,
    tests: [inputs],
  },
  {
    name: "holes are drawn as data",
    file: "image/file-layout.ts",
    find: "if (start < 0 || !isStored(state[row])) continue;",
    replace: "if (start < 0) continue;",
    tests: [layout],
  },
  {
    name: "images that share a file are worked on side by side",
    file: "action/images/files-in-use.ts",
    find: "each.keys.some((key) => this.#held.has(key) || wanted.has(key))",
    replace: "each.keys.some((key) => wanted.has(key))",
    tests: [filesInUse, allImages],
  },
  {
    name: "who comes later goes before who waits for the same file",
    file: "action/images/files-in-use.ts",
    find: "each.keys.some((key) => this.#held.has(key) || wanted.has(key))",
    replace: "each.keys.some((key) => this.#held.has(key))",
    tests: [filesInUse],
  },
  {
    name: "one file by two names is two files",
    file: "action/images/files-of-image.ts",
    find: "if (facts === undefined) continue;",
    replace: "continue;",
    tests: [filesOfImage],
  },
  {
    name: "an overlay has nothing to do with what is below it",
    file: "action/images/files-of-image.ts",
    find: "      next.push(...backingFilesOf(each, found));",
    replace: "",
    tests: [filesOfImage, allImages],
  },
  {
    name: "two images of one stem share no name",
    file: "action/images/files-of-image.ts",
    find: 'basename(name, extname(name)).normalize("NFC").toLowerCase()',
    replace: "name",
    tests: [filesOfImage],
  },
  {
    name: "an image whose journal stands is tried once more",
    file: "action/images/all-images.ts",
    find: "failure.details.journal === undefined && ",
    replace: "",
    tests: [allImages],
  },
  {
    name: "large images are as many at once as small ones",
    file: "action/images/all-images.ts",
    find: "item.files.length <= SMALL_LENGTH ? SMALL : LARGE",
    replace: "item.files.length >= 0 ? SMALL : LARGE",
    tests: [allImages],
  },
  {
    name: "lines of several images are told as they come",
    file: "action/images/side-by-side.ts",
    find: "    if (index === this.#turn) this.#log(line);",
    replace: "    if (index >= 0) this.#log(line);",
    tests: [sideBySide],
  },
  {
    name: "lines that wait for their turn are lost where the step is killed",
    file: "action/images/side-by-side.ts",
    find: `    process.once("exit", this.#tellAll);`,
    replace: "",
    tests: [sideBySide],
  },
];
