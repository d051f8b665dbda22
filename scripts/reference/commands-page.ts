/** docs/reference/commands.md: every command, from the table that the command line itself is made of. */

import type { Option } from "commander";
import { type CommandSpec, commands, commonOptions } from "../../src/cli/commands.ts";
import { VALUES } from "../../src/cli/completion-table.ts";
import { exitCodesOf } from "../../src/cli/help-text.ts";
import { block, code, codes, page, table } from "./markdown.ts";
import { defaultOf } from "./option-facts.ts";

export function commandsPage(): string {
  return page(
    "Commands",
    "`inplace-convert COMMAND …`; `node dist/cli.mjs COMMAND …` in a clone. Results go to stdout, all else to stderr.",
    table(
      ["command", "what it does"],
      commands.map((spec) => [`[${code(usageOf(spec))}](#${spec.name})`, spec.summary]),
    ),
    "What `-o` takes is told for each format in [options.md](options.md), what `--output json` prints in [json.md](json.md), all exit codes in one table in [exit-codes.md](exit-codes.md).",
    "## Options that every command takes",
    optionsTable("", commonOptions()),
    "`-h` prints short help, `--help` exit codes too, `-V` and `--version` the version of this program. Sizes are bytes, or end in k, M, G or T; numbers may be written in hex, as `0x50000`.",
    ...commands.flatMap(commandParts),
  );
}

/** As it is typed, `convert IMAGE FORMAT`. */
export function usageOf({ name, words }: Pick<CommandSpec, "name" | "words">): string {
  return `${name} ${words.replaceAll(/[[\]]/g, "")}`.trim();
}

function commandParts(spec: CommandSpec): string[] {
  const own = shownOptions(spec);
  return [
    `## ${spec.name}`,
    block("", `inplace-convert ${usageOf(spec)}`),
    `${sentence(spec.summary)}.`,
    ...(own.length > 0 ? [optionsTable(spec.name, own)] : []),
    ...(spec.optionsOf === undefined
      ? []
      : [`\`-o\`: options of the ${spec.optionsOf}, see [options.md](options.md).`]),
    `Exit codes: ${Object.entries(exitCodesOf(spec))
      .map(([exit, meaning]) => `${code(exit)} ${meaning}`)
      .join(" · ")}.`,
    block("sh", spec.example),
  ];
}

/** What only this command takes, without other names for the same. */
export function shownOptions(spec: CommandSpec): readonly Option[] {
  return (spec.options?.() ?? []).filter(({ hidden }) => !hidden);
}

function optionsTable(command: string, options: readonly Option[]): string {
  const rows = options.map((option) => [code(option.flags), defaultOf(command, option), meaningOf(option)]);
  return table(["option", "default", "meaning"], rows);
}

/** With what it may be, where that is a choice. */
export function meaningOf(option: Option): string {
  const choices = option.argChoices ?? VALUES[option.attributeName()] ?? [];
  const unsaid = choices.filter((choice) => !option.description.includes(choice));
  return unsaid.length === 0 ? option.description : `${option.description}; one of ${codes(choices)}`;
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
