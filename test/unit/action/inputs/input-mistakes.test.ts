/** Whose mistake it is where only the library knows. */

import { afterEach, expect, test, vi } from "vitest";
import { libraryMistakes } from "../../../../src/action/inputs/input-mistakes.ts";
import { COMMAND_LINE, key, option, say } from "../../../../src/bytes/sentence.ts";
import * as library from "../../../../src/index.ts";

vi.mock("../../../../src/index.ts", { spy: true });
afterEach(() => vi.mocked(library.usageMistakes).mockReset());

test("each by itself, though the library stops at the first", () => {
  vi.mocked(library.usageMistakes).mockImplementation(
    (target, { drop, format, maxExtraSpace, options } = {}, words = COMMAND_LINE) => [
      ...(format === "floppy" ? ["Cannot find the format floppy"] : drop ? ["Cannot drop it"] : []),
      ...(maxExtraSpace === -1 ? [say`Cannot use ${key("maxExtraSpace")} -1`.in(words)] : []),
      ...(target === "qcow2" && options?.a ? ["Cannot use a", "Cannot use b"] : []),
    ],
  );
  expect(libraryMistakes("qcow2", { format: "floppy", drop: ["it"], maxExtraSpace: -1, options: { a: "1" } })).toEqual([
    { names: ["source-format"], sentence: "Cannot find the format floppy" },
    { names: ["max-extra-space"], sentence: "Cannot use max-extra-space -1" },
    { names: ["drop"], sentence: "Cannot drop it" },
    { names: ["options"], sentence: "Cannot use a" },
    { names: ["options"], sentence: "Cannot use b" },
  ]);
});

test("what only contradicts each other names both, in the words of inputs", () => {
  vi.mocked(library.usageMistakes).mockImplementation((_, { checksum, verify } = {}, words = COMMAND_LINE) =>
    checksum === "none" && verify === "full"
      ? [say`Cannot use ${option("verify", "full")} with ${option("checksum", "none")}`.in(words)]
      : [],
  );
  expect(libraryMistakes("qcow2", { checksum: "none", verify: "full", drop: [] })).toEqual([
    { names: ["checksum", "verify"], sentence: "Cannot use verify: full with checksum: none" },
  ]);
});

test("a target that there is not is not asked for its options", () => {
  vi.mocked(library.usageMistakes).mockImplementation((target) => (target === "qcow3" ? ["Cannot find qcow3"] : []));
  expect(libraryMistakes("qcow3", { options: { a: "1" } })).toEqual([
    { names: ["target-format"], sentence: "Cannot find qcow3" },
  ]);
});
