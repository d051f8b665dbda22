/**
 * What a module of ours exports, with its docstrings, read from the source's text: our own is formatted by one formatter, so
 * that a declaration begins at the start of a line and ends with the first line that closes it.
 */

import { readFileSync } from "node:fs";

export interface Declaration {
  readonly name: string;
  readonly kind: "function" | "class" | "interface" | "type" | "const";
  /** Without the comment's marks; empty where there is none. */
  readonly doc: string;
  /** As a declaration file has it, comments inside it too. */
  readonly text: string;
  readonly module: URL;
}

/** Of the public index in its order, types too. Throws an Error for a name that it can't find. */
export function exportedFrom(index: URL): Declaration[] {
  const source = readFileSync(index, "utf8");
  const statements = source.matchAll(/^export (type )?(\*|\{[^}]*\}) from "([^"]+)";$/gm);
  return [...statements].flatMap(([, isOfTypes, names = "", path = ""]) => {
    const module = new URL(path, index);
    // A list that is exported as a whole is an index itself.
    if (names === "*" && isOfTypes === undefined) return exportedFrom(module);
    return names === "*" ? allOf(module) : namesIn(names).map((name) => declarationOf(name, module));
  });
}

function namesIn(list: string): string[] {
  const words = list.replace(/[{}]/g, "").split(",");
  return words.map((word) => word.trim().replace(/^type /, "")).filter((word) => word !== "");
}

const HEAD = /^export (?:async |abstract )?(function|class|interface|type|const) (\w+)/;

function allOf(module: URL): Declaration[] {
  const lines = readFileSync(module, "utf8").split("\n");
  return lines.flatMap((line, at) => (HEAD.test(line) ? [{ ...declarationAt(lines, at), module }] : []));
}

/** There, or where that has it from. */
function declarationOf(name: string, module: URL): Declaration {
  const found = allOf(module).find((each) => each.name === name);
  if (found !== undefined) return found;
  for (const [, names = "", path = ""] of readFileSync(module, "utf8").matchAll(
    /^export type (\{[^}]*\}) from "([^"]+)";$/gm,
  )) {
    if (namesIn(names).includes(name)) return declarationOf(name, new URL(path, module));
  }
  throw new Error(`Cannot find what ${module.pathname} exports as ${name}`);
}

/** Interfaces and types of ours that a declaration names, from its module or from one that this imports. */
export function typesNamedIn({ text, module }: Declaration): Declaration[] {
  const own = allOf(module);
  const source = readFileSync(module, "utf8");
  const imports = [...source.matchAll(/^import (?:type )?(\{[^}]*\}) from "(\.[^"]+)";$/gm)];
  const names = new Set(text.replaceAll(/\/\*\*[\s\S]*?\*\//g, "").match(/\b[A-Z]\w+/g));
  const found = [...names].flatMap((name) => {
    const [, , path] = imports.find(([, list = ""]) => namesIn(list).includes(name)) ?? [];
    return own.find((each) => each.name === name) ?? (path ? declarationOf(name, new URL(path, module)) : []);
  });
  return found.filter(({ kind }) => kind === "interface" || kind === "type");
}

function declarationAt(lines: readonly string[], at: number): Omit<Declaration, "module"> {
  const [, kind = "", name = ""] = HEAD.exec(lines[at] ?? "") ?? [];
  const rest = lines.slice(at);
  const known = kind as Declaration["kind"];
  return { name, kind: known, doc: docAbove(lines, at), text: textOf(known, rest).replace(/^export (?:async )?/, "") };
}

function textOf(kind: Declaration["kind"], lines: readonly string[]): string {
  switch (kind) {
    case "function":
      return signature(lines.join("\n"));
    case "class":
      return classText(lines.slice(0, lines.indexOf("}") + 1));
    case "interface":
      return balanced(lines, "}");
    default:
      return balanced(lines, ";");
  }
}

/** The first lines that end with `last` and close what they open. */
function balanced(lines: readonly string[], last: string): string {
  for (let count = 1; count <= lines.length; count++) {
    const text = lines.slice(0, count).join("\n");
    if (text.endsWith(last) && depthOf(text) === 0) return text;
  }
  throw new Error(`Cannot find the end of ${lines[0]}`);
}

function depthOf(text: string): number {
  return [...text].reduce((depth, each) => depth + Number("([{".includes(each)) - Number(")]}".includes(each)), 0);
}

/** On one line, without what only our own tests hand in, and with what has a default as what may be left out. */
function signature(text: string): string {
  const open = text.indexOf("(");
  let close = open + 1;
  while (depthOf(text.slice(open, close)) > 0) close++;
  const given = parted(text.slice(open + 1, close - 1))
    .filter((each) => !/^(?:host|volume): \w+ = /.test(each))
    .map((each) => each.replace(/^(\w+): (.+) = .+$/, "$1?: $2").replace(/^(\w+) = (.+)$/, untyped));
  const [, answer = ""] = /^(.*?) \{$/m.exec(text.slice(close)) ?? [];
  return `${text.slice(0, open)}(${given.join(", ")})${answer};`;
}

/** A literal says of what type a parameter is. */
function untyped(_whole: string, name: string, value: string): string {
  return `${name}?: ${/^["`]/.test(value) ? "string" : "number"}`;
}

/** At the commas that stand in no bracket of any kind. */
function parted(text: string): string[] {
  const parts = [""];
  for (const each of text.replaceAll(/\s+/g, " ").split(/(,)/)) {
    const part = parts.at(-1) ?? "";
    const isInside = depthOf(part) !== 0 || part.split("<").length !== part.replaceAll("=>", "").split(">").length;
    if (each === "," && !isInside) parts.push("");
    else parts[parts.length - 1] = part + each;
  }
  return parts.map((part) => part.trim().replace(/,(?= \})/g, "")).filter((part) => part !== "");
}

/** What can be read and called of it; nobody outside makes one. */
function classText(lines: readonly string[]): string {
  const members = lines.flatMap((line, at) => {
    const field = /^ {2}(?:override )?readonly (\w+): .*;$/.exec(line);
    const getter = /^ {2}get (\w+)\(\): (.+) \{$/.exec(line);
    const method = /^ {2}((?!constructor)\w+\(.*\): .+) \{$/.exec(line);
    const text = field ? line.trim() : getter ? `readonly ${getter[1]}: ${getter[2]};` : method ? `${method[1]};` : "";
    if (text === "") return [];
    const doc = docAbove(lines, at);
    return [...(doc === "" ? [] : [`  /** ${doc.replaceAll("\n", " ")} */`]), `  ${text}`];
  });
  return [lines[0], ...members, "}"].join("\n");
}

function docAbove(lines: readonly string[], at: number): string {
  if (!lines[at - 1]?.trimEnd().endsWith("*/")) return "";
  let start = at - 1;
  while (start > 0 && !lines[start]?.trimStart().startsWith("/**")) start--;
  const comment = lines.slice(start, at).map((line) => line.trim().replace(/^\/\*\*\s?|\s*\*\/$|^\*\s?/g, ""));
  return comment
    .join("\n")
    .replace(/\s*\*\/$/, "")
    .trim();
}
