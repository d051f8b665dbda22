/** Defects that a newcomer would meet: words taken from qemu-img, what a command says in the end, lists, predicates, completion. */

import type { Mutation } from "./mutation.ts";

const nextSteps = "test/unit/cli/next-steps.test.ts";
const checksums = "test/unit/cli/checksum-command.test.ts";
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
  {
    name: "resume tells nothing of a way back that it kept",
    file: "cli/recovery-command.ts",
    find: `report.outcome !== "rolled-back" && (await isUndoKept(run, report.image))`,
    replace: "false",
    tests: [program],
  },
  {
    name: "an image that was put back is to be renamed although its name was right",
    file: "cli/next-steps.ts",
    find: `outcome === "rolled-back" ? promised === undefined || promised === "raw" : sourceFormat === format`,
    replace: "sourceFormat === format",
    tests: [nextSteps],
  },
  {
    name: "a recovery forgets what the image was before",
    file: "convert/recovery/recover.ts",
    find: "        ...sourceFormatOf(journal),\n",
    replace: "",
    tests: ["test/unit/convert/recover.test.ts", "test/unit/convert/flat.test.ts"],
  },
  {
    name: "data that lies where other data lay is drawn as if it had stayed",
    file: "action/report/page/image-section.ts",
    find: `return bytesMoved >= guestDataBytes ? "all" : "some";`,
    replace: `return "some";`,
    tests: ["test/unit/action/page.test.ts"],
  },
  {
    name: "a step that kept a way back does not say so",
    file: "action/images/convert-image.ts",
    find: `if ((await unfinished(path).catch(() => "none")) !== "undo") return [];`,
    replace: "if (path !== undefined) return [];",
    tests: ["test/unit/action/images/convert-image.test.ts"],
  },
  {
    name: "a checksum is one word that no phone has room for",
    file: "action/report/html.ts",
    find: "html`<wbr>`",
    replace: "html``",
    tests: ["test/unit/action/report/html.test.ts"],
  },
  {
    name: "of several lists the last alone is checked",
    file: "cli/checksum-command.ts",
    find: "lists.flatMap((list) =>",
    replace: "lists.slice(-1).flatMap((list) =>",
    tests: [checksums],
  },
  {
    name: "a name with a line break is read back as another one",
    file: "cli/checksum-list.ts",
    find: `mark === "" ? written : unescaped(written ?? "")`,
    replace: "written",
    tests: [checksums],
  },
  {
    name: "a name that looks escaped is printed as it is",
    file: "cli/checksum-list.ts",
    find: `name.replaceAll("\\\\", "\\\\\\\\")`,
    replace: "name",
    tests: [checksums],
  },
];
