/** man/inplace-convert.1, from the table that the command line itself is made of: roff by the man macros. */

import type { Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { type CommandSpec, commands, commonOptions } from "../../src/cli/commands.ts";
import { exitCodesOf } from "../../src/cli/help-text.ts";
import { formatDrivers } from "../../src/formats/registry.ts";
import { type TargetOption, targetOptions } from "../../src/index.ts";
import { meaningOf, sentence, shownOptions, usageOf } from "./commands-page.ts";
import { defaultOf } from "./option-facts.ts";

const WIDTH = 78;

export function manPage(): string {
  const parts = [
    '.\\" Written by `node scripts/reference.ts`; a test compares it with the code.',
    `.TH INPLACE-CONVERT 1 "" "inplace-convert ${manifest.version}" "User Commands"`,
    ".SH NAME",
    "inplace-convert \\- change the format of a VM disk image inside the file it already occupies",
    ".SH SYNOPSIS",
    ...commands.flatMap((spec, at) => [...(at > 0 ? [".br"] : []), synopsis(spec)]),
    ".SH DESCRIPTION",
    text(
      "Guest data stays where it lies as far as the new format can point at it there; tables are written anew into the same file, " +
        "and one write of one sector makes it the new format's. At every instant the file is a whole disk image with the guest's bytes, in the old format or the new one.",
    ),
    paragraph(
      `The formats are ${formatDrivers.map(({ name, aliases }) => [name, ...aliases].join(" or ")).join(", ")}, in any case. ` +
        "A raw image is never guessed: it needs -f raw. Results go to stdout, all else to stderr. Sizes are bytes, or end in k, M, G or T.",
    ),
    ".SH COMMANDS",
    ...commands.flatMap(commandParts),
    ".SH OPTIONS",
    text("Every command takes these."),
    ...commonOptions().flatMap((option) => optionParts("", option)),
    item("\\fB\\-h\\fR", "Short help."),
    item("\\fB\\-\\-help\\fR", "Help with exit codes."),
    item("\\fB\\-V\\fR, \\fB\\-\\-version\\fR", "The version of this program."),
    ".SH OPTIONS OF FORMATS",
    text(
      "What -o takes: KEY=VALUE, several with commas between them or by several -o; two commas are a comma inside a value.",
    ),
    ...formatDrivers.flatMap(({ name, openOptions = [] }) => [
      ...keyParts(`${name}, as the target`, targetOptions(name)),
      ...keyParts(`${name}, as the source`, openOptions),
    ]),
    ".SH EXIT STATUS",
    text("Of the commands that write; what others exit with stands beside them."),
    ...exitParts(exitCodesOf()),
    ".SH FILES",
    item(
      "\\fIIMAGE\\fR.inplace\\-journal",
      "Stands while a conversion or a repair is open. With it resume finishes and rollback puts back.",
    ),
    item("\\fIIMAGE\\fR.inplace\\-lock", "Stands while a command writes to the image."),
    item(
      "\\fIIMAGE\\fR.inplace\\-undo",
      "The way back that \\-\\-keep\\-undo keeps. rollback takes it, resume gives it up.",
    ),
    ".SH SEE ALSO",
    "\\fBqemu\\-img\\fR(1)",
  ];
  return `${parts.join("\n")}\n`;
}

function synopsis(spec: CommandSpec): string {
  const [name = "", ...words] = usageOf(spec).split(" ");
  const places = words.map((word) => ` \\fI${escaped(word)}\\fR`).join("");
  return `\\fBinplace\\-convert ${escaped(name)}\\fR [\\fIoptions\\fR]${places}`;
}

function commandParts(spec: CommandSpec): string[] {
  return [
    `.SS ${escaped(usageOf(spec))}`,
    text(`${sentence(spec.summary)}.`),
    ...shownOptions(spec).flatMap((option) => optionParts(spec.name, option)),
    ...(spec.exitCodes === undefined ? [] : [".PP", "Exit status:", ...exitParts(spec.exitCodes)]),
    ".PP",
    "Example:",
    ".PP",
    ".nf",
    `.RS 4\n${escaped(spec.example)}\n.RE`,
    ".fi",
  ];
}

/** A name in bold, what it takes in italics; the default where it is more than "off". */
function optionParts(command: string, option: Option): string[] {
  const flags = option.flags.split(", ").map((flag) =>
    flag.replace(/^(\S+)(?: <(.*)>)?$/, (_, name: string, value?: string) => {
      return `\\fB${escaped(name)}\\fR${value === undefined ? "" : ` \\fI${escaped(value)}\\fR`}`;
    }),
  );
  const initial = defaultOf(command, option);
  const isSaid = initial === "off" || option.negate || /default|\belse\b/.test(option.description);
  return [item(flags.join(", "), text(`${meaningOf(option)}.${isSaid ? "" : ` Default: ${initial}.`}`))];
}

function keyParts(title: string, options: readonly TargetOption[]): string[] {
  if (options.length === 0) return [];
  return [
    `.SS ${escaped(title)}`,
    ...options.map(({ name, kind, choices, help }) => {
      const value = kind === "boolean" ? "on|off" : (choices?.join("|") ?? kind);
      return item(`\\fB${escaped(name)}\\fR=\\fI${escaped(value)}\\fR`, text(`${help}.`));
    }),
  ];
}

function exitParts(codes: Readonly<Record<number, string>>): string[] {
  return Object.entries(codes).map(([exit, meaning]) => item(`\\fB${exit}\\fR`, text(`${meaning}.`)));
}

function item(tag: string, words: string): string {
  return `.TP\n${tag}\n${words}`;
}

function paragraph(words: string): string {
  return `.PP\n${text(words)}`;
}

/** Words of a page in Markdown, without its marks, on lines of a width that can be read; one that begins with a dot is text too. */
function text(words: string): string {
  const lines = [""];
  for (const word of escaped(words.replaceAll("`", "")).split(" ")) {
    const line = lines.pop() ?? "";
    if (line === "") lines.push(word);
    else if (line.length + 1 + word.length <= WIDTH) lines.push(`${line} ${word}`);
    else lines.push(line, word);
  }
  return lines.map((line) => line.replace(/^(?=[.'])/, "\\&")).join("\n");
}

/** A minus sign stays one that can be copied, and a backslash one. */
function escaped(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
