/** A commit that is a name: what is looked at before it appears or goes, and what a descriptor may say. */

import type { Mutation } from "./mutation.ts";

const files = "test/unit/convert/flat.test.ts";
const cuts = "test/crash/names.test.ts > cut at each call";
const between = "test/crash/names.test.ts > used in between";
const descriptor = "test/unit/formats/vmdk/descriptor.test.ts";

export const nameMutations: readonly Mutation[] = [
  {
    name: "a text that somebody rewrote goes",
    file: "convert/switch/switch.ts",
    find: "  await refuseChangedSource(input);\n",
    replace: "",
    tests: [files],
  },
  {
    name: "it is not known that a text will come until it has",
    file: "convert/switch/switch.ts",
    find: "  if (named) session.takeSidecar(named.name);\n",
    replace: "",
    tests: [files],
  },
  {
    name: "a text has its name before its bytes are durable",
    file: "convert/execute/name.ts",
    find: "      await file.sync();\n",
    replace: "",
    tests: [cuts],
  },
  {
    name: "a text takes a name that somebody has",
    file: "convert/execute/name.ts",
    find: "if (!(await volume.link(draft, own))) throw taken(path, own);",
    replace: "await volume.rename(draft, own);",
    tests: [files],
  },
  {
    name: "what bears a text's name is taken for it, whatever disk it speaks of",
    file: "convert/undo/switch-undo.ts",
    find: `if (isNamed && isTextOf(found, storage.path)) return "rewritten";`,
    replace: `if (isNamed) return "rewritten";`,
    tests: [files],
  },
  {
    name: "the way back leaves the text that came",
    file: "convert/undo/switch-undo.ts",
    find: "if (named.comes) await removeText(session, named.name);",
    replace: "if (named.comes) return;",
    tests: [cuts],
  },
  {
    name: "a text of a link opens what the link leads to",
    file: "convert/session/named-image.ts",
    find: `if (facts.kind !== "file" || isJournalName(name))`,
    replace: "if (isJournalName(name))",
    tests: [files],
  },
  {
    name: "a text may hold its disk itself",
    file: "convert/session/named-image.ts",
    find: `  if (await volume.isSameFile(disk, text)) throw refuse("it says that it holds its disk itself");\n`,
    replace: "",
    tests: [files],
  },
  {
    name: "nobody asks for other texts of the disk",
    file: "convert/session/named-image.ts",
    find: "for (const name of texts.slice(0, MAX_TEXTS)) {",
    replace: "for (const name of texts.slice(0, 0)) {",
    tests: [files],
  },
  {
    name: "a name that is gone leads to no journal",
    file: "convert/session/named-image.ts",
    find: "    if (image === undefined) continue;",
    replace: "    continue;",
    tests: [files],
  },
  {
    name: "a descriptor may say a thing twice",
    file: "formats/vmdk/descriptor.ts",
    find: "if (values.has(key))",
    replace: "if (values.size > 100)",
    tests: ["test/oracle/corpus.test.ts > refuse/vmdk/corrupt"],
  },
  {
    name: "a descriptor may have a line behind its zero",
    file: "formats/vmdk/descriptor.ts",
    find: "length <= MAX_LEFT_BEHIND && ",
    replace: "",
    tests: ["test/oracle/corpus.test.ts > refuse/vmdk/corrupt"],
  },
  {
    name: "an extent may be shorter than its descriptor says",
    file: "formats/vmdk/flat.ts",
    find: "if (fileSize >= length) return;",
    replace: "if (fileSize >= 0) return;",
    tests: ["test/oracle/corpus.test.ts > refuse/vmdk/out-of-bounds"],
  },
  {
    name: "a plain name may lead elsewhere",
    file: "bytes/plain-name.ts",
    find: `if (/[/\\\\]/.test(name)) return "leads to another folder";`,
    replace: "",
    tests: [descriptor],
  },
  {
    name: "a descriptor of before comes back whatever disk it speaks of",
    file: "formats/vmdk/flat-target.ts",
    find: "return kept.fileName === fileName && kept.virtualSize === virtualSize ? bytes : undefined;",
    replace: "return kept.fileName === fileName ? bytes : undefined;",
    tests: [descriptor],
  },
  {
    name: "a guest's new id closes no way back",
    file: "convert/undo/switch-undo.ts",
    find: `  const isNamed = found?.name === name;`,
    replace: `  const isNamed = false;`,
    tests: [between, cuts],
  },
];
