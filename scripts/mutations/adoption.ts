/** Defects that a newcomer would meet: words taken from qemu-img, what a command says in the end, lists, predicates, completion. */

import type { Mutation } from "./mutation.ts";

const program = "test/unit/cli/program.test.ts";
const qemuWords = "test/unit/cli/qemu-img-words.test.ts";
const users = "test/unit/convert/others-at-work.test.ts";

export const adoptionMutations: readonly Mutation[] = [
  {
    name: "a plan of what others have open keeps that to itself",
    file: "convert/conversion/foretell.ts",
    find: "const found = [...inUse, ...blind,",
    replace: "const found = [...blind,",
    tests: [users],
  },
  {
    name: "a conversion is begun with -U",
    file: "cli/convert-command.ts",
    find: "if (run.values.forceShare)",
    replace: "if (false)",
    tests: [program],
  },
  {
    name: "a plan that is shown for qemu-img's names no image as it was named",
    file: "cli/qemu-img-words.ts",
    find: `"--image-opts"],`,
    replace: "],",
    tests: [qemuWords],
  },
];
