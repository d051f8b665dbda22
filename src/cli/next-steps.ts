/** After a failed command that writes: in what state the image is, and the exact commands that go on. */

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  type ConversionReport,
  commandText,
  formatPromised,
  ImageError,
  type NextSteps,
  nameFor,
  shellWord,
} from "../doors.ts";

/** What the message leaves unsaid about the image, as sentences; an error that leaves a journal names the ways on itself. */
export function stateOf(error: unknown): readonly string[] {
  if (!(error instanceof ImageError) || error.journal !== undefined) return [];
  // Of what is not there nothing can be said.
  const isMissing = error.operation === "open" && error.isMissing;
  return isMissing || error.rolledBack || error.words.state !== undefined ? [] : ["The image is as it was"];
}

/** The commands that go on, on lines of their own; `program` is how the user called it. */
export function nextStepLines({ finish, putBack }: NextSteps, program: string): string[] {
  const back = putBack && ["To put the image back as it was:", `  ${commandText(putBack, program)}`];
  return ["To finish:", `  ${commandText(finish, program)}`, ...(back ?? [])];
}

/**
 * How to go back over a kept undo, or to give it up; commands stand on lines of their own. `oldFormat` where units have
 * moved, so that not all is as it was; `hasText` where a descriptor came or went, which names the disk and which the undo names.
 */
export function undoLines(path: string, program: string, oldFormat?: string, hasText = false): string[] {
  const ours = (command: "resume" | "rollback") =>
    `  ${commandText({ ref: "command", command, options: [], path }, program)}`;
  const names = hasText
    ? "the disk, and a descriptor that came, must keep their names for it"
    : "whoever renames the image renames that too";
  return [
    `The way back is kept as ${path}.inplace-undo; ${names}`,
    oldFormat === undefined ? "To put the image back as it was:" : `To get the same guest as ${oldFormat} again:`,
    ours("rollback"),
    "To give the way back up:",
    ours("resume"),
  ];
}

/**
 * What may be done once an image has another format, each after a word for it. Nothing where a way back is kept: what is
 * told of that (`undoLines`) tells of renaming too.
 */
export function afterwards(report: ConversionReport, keepsUndo: boolean): readonly (readonly [string, string])[] {
  const { changed, image, imageAfter, diskFile, sourceFormat, targetFormat } = report;
  if (!changed || keepsUndo) return [];
  // A disk that a descriptor names keeps the name that stands there.
  const isNamed = imageAfter !== undefined || diskFile !== undefined;
  const isRight = sourceFormat === targetFormat || formatPromised(image) === targetFormat;
  const name = isNamed || isRight ? image : nameFor(image, targetFormat);
  return [
    // What has that name already is not overwritten.
    ["to rename", name === image ? "" : `mv -n ${shellWord(image)} ${shellWord(name)}`],
    ["way back", "none is kept; --keep-undo keeps one"],
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
