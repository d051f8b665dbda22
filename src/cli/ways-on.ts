/** After a failed command that writes: in what state the image is, and the exact commands that go on. */

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ImageError } from "../index.ts";

/** The library names this program in its messages; `invocation` is how the user called it. */
export function asInvoked(message: string, invocation: string): string {
  return message.replaceAll(/\binplace-convert (?=(?:resume|rollback|check) )/g, `${invocation} `);
}

/** What the message leaves unsaid about the image, as sentences; an error that leaves a journal names the ways on itself. */
export function stateOf(error: unknown): readonly string[] {
  if (!(error instanceof ImageError) || error.journal !== undefined) return [];
  // Of what is not there nothing can be said.
  const isMissing = error.operation === "open" && /\bno such file\b/.test(error.message);
  const isSaid = /\b(as it was|nothing was (written|touched))\b/.test(error.message);
  return isMissing || isSaid ? [] : ["The image is as it was"];
}

/** A message that ends with the commands that go on, and those for lines of their own. */
export interface WaysOn {
  readonly message: string;
  readonly lines: readonly string[];
}

/** As `standing` of the library words it; undefined for a message without such an end. */
export function waysOn(message: string): WaysOn | undefined {
  const found =
    /^(.*): run (inplace-convert resume .+) to finish(?:, or (inplace-convert rollback .+) to put it back)?$/s.exec(
      message,
    );
  if (found === null) return undefined;
  const [, said = "", resume = "", rollback] = found;
  const back = rollback === undefined ? [] : ["To put the image back as it was:", `  ${rollback}`];
  return { message: said, lines: ["To finish:", `  ${resume}`, ...back] };
}

/** How to go back over a kept undo, or to give it up; commands stand on lines of their own. */
export function undoLines(path: string): string[] {
  const word = shellWord(path);
  return [
    `The way back is kept as ${path}.inplace-undo; whoever renames the image renames that too`,
    "To put the image back as it was:",
    `  inplace-convert rollback ${word}`,
    "To give the way back up:",
    `  inplace-convert resume ${word}`,
  ];
}

const BESIDE = /\.inplace-(?:undo|journal)$/;

/** Where nothing is to be done for `path`: what lies in its folder without an image, as after a rename. */
export function orphansBeside(path: string): string[] {
  const folder = dirname(path);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => BESIDE.test(name) && !names.includes(name.replace(BESIDE, "")))
    .map((name) => {
      const [suffix = ""] = BESIDE.exec(name) ?? [];
      return `${join(folder, name)} lies there without its image: if that was renamed to ${basename(path)}, rename this to ${basename(path)}${suffix}`;
    });
}

/** `text` as one word of a POSIX shell, never an option. */
export function shellWord(text: string): string {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
