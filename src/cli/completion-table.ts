/** What can be completed where, told apart from the shells' ways to say it. */

import type { Option } from "commander";
import type { TargetOption } from "../doors.ts";
import { CACHE_MODES } from "./command-run.ts";
import type { Library } from "./library.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What the table of commands tells of each. */
export interface CompletableCommand {
  readonly name: string;
  /** `[IMAGE] [FORMAT]` */
  readonly words: string;
  readonly summary: string;
  readonly options?: () => readonly Option[];
  readonly optionsOf?: "target" | "source";
}

/** What may stand in one place: one of some words, several with commas between, a file, a folder, `-o` of this command, or what no shell can know. */
export type Candidates =
  | { readonly kind: "words" | "list"; readonly words: readonly string[] }
  | { readonly kind: "file" | "folder" | "keys" | "unknown" };

export interface CompletedOption {
  /** `-f`, `--format`; at least one. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Undefined of an option without a value. */
  readonly value: { readonly name: string; readonly candidates: Candidates } | undefined;
  readonly isRepeatable: boolean;
  /** Taken, but not offered. */
  readonly isHidden: boolean;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Its words in their order. */
  readonly places: readonly { readonly name: string; readonly candidates: Candidates; readonly isRepeated: boolean }[];
  /** The place of the target's format, from 0; undefined where it has none. */
  readonly formatAt: number | undefined;
  /** `-o` by the target's format, or by `""` where that isn't known or there is none. */
  readonly keys: Readonly<Record<string, readonly TargetOption[]>>;
}

export type Completion = readonly CompletedCommand[];

/** Values of options that commander is not told, since qemu-img has words of its own for a wrong one or since they are lists. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  repair: ["leaks", "all"],
  cache: CACHE_MODES,
  drop: ["bitmaps", "snapshots", "leaks"],
};

/** What commander adds to every command by itself. */
const HELP: readonly CompletedOption[] = [
  plain(["-h", "--help"], "short help; --help tells the exit codes too"),
  plain(["-V", "--version"], "the version of this program"),
];

function plain(flags: readonly string[], summary: string): CompletedOption {
  return { flags, summary, value: undefined, isRepeatable: false, isHidden: false };
}

export async function completionOf(
  commands: readonly CompletableCommand[],
  common: readonly Option[],
  library: Pick<Library, "formatNames" | "sourceOptions" | "targetOptions">,
): Promise<Completion> {
  const formats = library.formatNames();
  const ofSource = library.sourceOptions();
  const ofTargets: Record<string, readonly TargetOption[]> = {};
  for (const format of formats) ofTargets[format] = [...(await library.targetOptions(format)), ...ofSource];
  return commands.map(({ name, words, summary, options, optionsOf }) => {
    const names = words.split(" ").filter((word) => word !== "");
    const places = names.map((word) => placeOf(word.replace(/[^A-Z]/g, ""), word.includes("..."), formats));
    const formatAt = places.findIndex((place) => place.name === "FORMAT");
    return {
      name,
      summary,
      options: [...[...(options?.() ?? []), ...common].map((option) => optionOf(option, formats)), ...HELP],
      places,
      formatAt: formatAt < 0 ? undefined : formatAt,
      keys: optionsOf === "target" ? { ...ofTargets, "": ofSource } : { "": optionsOf === "source" ? ofSource : [] },
    };
  });
}

function placeOf(name: string, isRepeated: boolean, formats: readonly string[]): CompletedCommand["places"][number] {
  const candidates: Candidates =
    name === "FORMAT"
      ? { kind: "words", words: formats }
      : name === "SHELL"
        ? { kind: "words", words: SHELLS }
        : { kind: /^(?:IMAGES?|A|B)$/.test(name) ? "file" : "unknown" };
  return { name, candidates, isRepeated };
}

function optionOf(option: Option, formats: readonly string[]): CompletedOption {
  const [, name] = /<(.*)>/.exec(option.flags) ?? [];
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    summary: option.description,
    value: name === undefined ? undefined : { name, candidates: valuesOf(option, name, formats) },
    isRepeatable: option.parseArg !== undefined && option.argChoices === undefined,
    isHidden: option.hidden,
  };
}

function valuesOf(option: Option, name: string, formats: readonly string[]): Candidates {
  const words = option.argChoices ?? VALUES[option.attributeName()];
  if (words !== undefined) return { kind: name.endsWith(",...") ? "list" : "words", words };
  switch (name) {
    case "FORMAT":
      return { kind: "words", words: formats };
    case "KEY=VALUE,...":
      return { kind: "keys" };
    case "PATH":
    case "LIST":
      return { kind: "file" };
    case "DIR":
      return { kind: "folder" };
    default:
      return { kind: "unknown" };
  }
}

/** What a `-o` key may be given; empty where that isn't a choice. */
export function valuesOfKey({ kind, choices = [] }: TargetOption): readonly string[] {
  return kind === "boolean" ? ["on", "off"] : choices;
}

/** Of a command each format with what `-o` takes of it; none that takes nothing. */
export function keysByFormat({ keys }: CompletedCommand): readonly (readonly [string, readonly TargetOption[]])[] {
  return Object.entries(keys).filter(([, options]) => options.length > 0);
}

/** `text` as one word for bash, zsh and all that take quotes as they do. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
