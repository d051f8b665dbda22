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
  type RecoveryReport,
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

/** Over what was kept of a conversion that moved units, and so not all. */
export function sameGuestAs(oldFormat: string): string {
  return `To get the same guest as ${oldFormat} again:`;
}

/**
 * How to go back over a kept undo, or to give it up; commands stand on lines of their own. `way` is what stands over the
 * command that goes back; `hasText` where a descriptor came or went, which names the disk and which the undo names.
 */
export function undoLines(
  path: string,
  program: string,
  way = "To put the image back as it was:",
  hasText = false,
): string[] {
  const ours = (command: "resume" | "rollback") =>
    `  ${commandText({ ref: "command", command, options: [], path }, program)}`;
  const names = hasText
    ? "the disk, and a descriptor that came, must keep their names for it"
    : "whoever renames the image renames that too";
  return [
    `The way back is kept as ${path}.inplace-undo; ${names}`,
    way,
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
  if (!report.changed || keepsUndo) return [];
  const { sourceFormat, targetFormat } = report;
  return [
    ["to rename", sourceFormat === targetFormat ? "" : renaming(report, targetFormat)],
    ["way back", "none is kept; --keep-undo keeps one"],
  ];
}

/** The same once a conversion was finished, or gone back over, by a command of its own. */
export function afterRecovery(report: RecoveryReport): readonly (readonly [string, string])[] {
  const { image, imageAfter, format, sourceFormat, outcome } = report;
  // The name it had is right for what it was again, unless it was renamed in between. Any image may be called `.img`.
  const promised = formatPromised(image);
  const isRight = outcome === "rolled-back" ? promised === undefined || promised === "raw" : sourceFormat === format;
  return [
    ["image", imageAfter === undefined ? "" : `${imageAfter} from now on`],
    ["to rename", sourceFormat === undefined || isRight ? "" : renaming(report, format)],
  ];
}

/** The command; empty where the name is right, or is not ours to choose. What has the new name already is not overwritten. */
function renaming(
  { image, imageAfter, diskFile }: Pick<ConversionReport, "image" | "imageAfter" | "diskFile">,
  format: string,
): string {
  // A disk that a descriptor names keeps the name that stands there.
  const isNamed = imageAfter !== undefined || diskFile !== undefined;
  const name = isNamed || formatPromised(image) === format ? image : nameFor(image, format);
  return name === image ? "" : `mv -n ${shellWord(image)} ${shellWord(name)}`;
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
