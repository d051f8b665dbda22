/** docs/reference/library.md: what the library exports, with its docstrings and types, from the source. */

import { type Declaration, exportedFrom, typesNamedIn } from "./declarations.ts";
import { block, codes, page } from "./markdown.ts";

/** What comes first, in this order; the rest follows as it is exported. */
const WORK = [
  "convert",
  "plan",
  "compact",
  "check",
  "resume",
  "rollback",
  "unfinished",
  "checksum",
  "compare",
  "info",
  "infoChain",
  "map",
  "setmap",
  "renameImage",
  "refuseTakenName",
  "targetOptions",
  "sourceOptions",
  "makeDemoImage",
];

export function libraryPage(): string {
  const all = exportedFrom(new URL("../../src/index.ts", import.meta.url));
  const work = WORK.map((name) => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`The library has no ${name} any more: take it out of WORK`);
    return found;
  });
  const others = all.filter((each) => each.kind === "function" && !work.includes(each));
  const errors = all.filter(({ kind, name }) => kind === "class" && name.endsWith("Error"));
  const types = all.filter((each) => each.kind !== "function" && !errors.includes(each));
  const shown = new Set(all.map(({ name }) => name));
  return page(
    "Library",
    block("ts", 'import { convert } from "inplace-convert";\n\nconst report = await convert("disk.qed", "qcow2");'),
    "An ES module for Node 20 or newer, with declarations. Paths are of files; sizes and offsets are numbers of bytes. Nothing is printed. " +
      `Every failure is an error of one of two kinds, ${codes(errors.map(({ name }) => name))}: the first says that an image or its storage doesn't allow what was asked, the second that the call itself makes no sense, before anything was opened.`,
    "## Work on images",
    ...work.flatMap((each) => functionParts(each, shown)),
    "## Errors",
    ...errors.flatMap((each) => typeParts(each, shown)),
    "## Names, sizes and sentences",
    "What the command line and the action say things with.",
    ...others.flatMap((each) => functionParts(each, shown)),
    "## Types",
    ...types.flatMap((each) => typeParts(each, shown)),
  );
}

function functionParts(each: Declaration, shown: Set<string>): string[] {
  return [`### ${each.name}`, codeOf(each, shown), ...(each.doc === "" ? [] : [prose(each.doc)])];
}

function typeParts(each: Declaration, shown: Set<string>): string[] {
  return [`### ${each.name}`, ...(each.doc === "" ? [] : [prose(each.doc)]), codeOf(each, shown)];
}

/** With the types that it needs and that have no name outside, where none before has shown them. */
function codeOf(each: Declaration, shown: Set<string>): string {
  const texts = [each.text];
  const waiting = [each];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for (const type of typesNamedIn(at)) {
      if (shown.has(type.name)) continue;
      shown.add(type.name);
      waiting.push(type);
      texts.push(type.text);
    }
  }
  return block("ts", texts.join("\n\n"));
}

/** Tags become sentences, lines that were broken for the source flow. */
function prose(doc: string): string {
  const [words = "", ...tags] = `\n${doc}`.split(/\n(?=@)/);
  const flowing = (text: string) => text.replace(/([^\n])\n(?!\n| *[-|])/g, "$1 ").trim();
  const items = tags.map((tag) =>
    flowing(tag)
      .replace(/^@throws /, "- Throws ")
      .replace(/^@param (\w+) /, "- `$1` "),
  );
  return [flowing(words), ...(items.length > 0 ? [items.join("\n")] : [])].filter((part) => part !== "").join("\n\n");
}
