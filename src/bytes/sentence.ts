/**
 * A sentence as a value: text, and in it references to what every face calls otherwise (an option, a command of ours) or
 * what others ask for (the image, the place). Rendered by a vocabulary; nobody has to read what was written.
 */

import { shellWord } from "./shell-word.ts";

/** An option that a user can give, by the command line's long name without dashes. */
export interface OptionReference {
  readonly ref: "option";
  readonly name: string;
  readonly value?: string | undefined;
}

/** A command of ours, with the image that it is to be given. */
export interface CommandReference {
  readonly ref: "command";
  readonly command: "check" | "resume" | "rollback";
  /** What stands before the image, each a word of its own. */
  readonly options: readonly string[];
  readonly path: string;
}

/** What each face calls otherwise, or asks for. */
export type SentenceReference =
  | OptionReference
  | CommandReference
  /** An option by the library's own name, e.g. `maxExtraSpace`. */
  | { readonly ref: "key"; readonly name: string }
  | { readonly ref: "image"; readonly path: string }
  /** Room for the image's name in a sentence of who knows none. */
  | { readonly ref: "unnamed" }
  | { readonly ref: "place"; readonly hostOffset: number }
  /** Several things to do, each enough by itself. */
  | { readonly ref: "either"; readonly ways: readonly Sentence[] };

export type SentencePart = string | SentenceReference;

/** What may stand where a sentence is wanted. */
export type Words = string | Sentence;

/** How one face calls things. */
export interface Vocabulary {
  /** Undefined where the face has no such option: a remedy that needs it is not said. */
  option(reference: OptionReference): string | undefined;
  command(reference: CommandReference): string;
  key(name: string): string;
}

export class Sentence {
  readonly parts: readonly SentencePart[];

  constructor(parts: readonly SentencePart[]) {
    this.parts = parts;
  }

  /** In the words of the command line, which are everybody's who has no vocabulary. */
  toString(): string {
    return this.in(COMMAND_LINE);
  }

  in(vocabulary: Vocabulary): string {
    return this.parts.map((part) => (typeof part === "string" ? part : worded(part, vocabulary))).join("");
  }

  /** Whether it names the image, or the place, by a reference of its own. */
  namesImage(path: string): boolean {
    return this.#all().some((part) => part.ref === "image" && part.path === path);
  }

  namesPlace(hostOffset: number): boolean {
    return this.#all().some((part) => part.ref === "place" && part.hostOffset === hostOffset);
  }

  /** With the image's name where room was left for it; undefined where there was none. */
  withImage(path: string): Sentence | undefined {
    if (!this.#all().some(({ ref }) => ref === "unnamed")) return undefined;
    const name = say`${imageNamed(path)} from `.parts;
    return new Sentence(
      this.parts.flatMap((part) => (typeof part === "object" && part.ref === "unnamed" ? name : [part])),
    );
  }

  /** The same with parts of it in place of others. */
  mapped(change: (part: SentencePart) => SentencePart): Sentence {
    return new Sentence(this.parts.map(change));
  }

  /** Whether the face has all that it names. */
  isSayable(vocabulary: Vocabulary): boolean {
    return this.parts.every(
      (part) => typeof part === "string" || part.ref !== "option" || vocabulary.option(part) !== undefined,
    );
  }

  #all(): readonly SentenceReference[] {
    return this.parts.flatMap((part) => {
      if (typeof part === "string") return [];
      return part.ref === "either" ? [part, ...part.ways.flatMap((way) => way.#all())] : [part];
    });
  }
}

/** say`delete them or use ${option("drop", "snapshots")}` */
export function say(texts: TemplateStringsArray, ...values: readonly (Words | number)[]): Sentence {
  const parts = texts.flatMap((text, at): readonly SentencePart[] => {
    const value = values[at];
    if (value instanceof Sentence) return [text, ...value.parts];
    return [value === undefined ? text : `${text}${value}`];
  });
  return new Sentence(parts.filter((part) => part !== ""));
}

/** Text as a sentence; a sentence as itself. */
export function sentenceOf(words: Words): Sentence {
  return typeof words === "string" ? new Sentence([words]) : words;
}

/** As `Array.join` does for texts. */
export function joined(all: readonly Words[], between: string): Sentence {
  return new Sentence(all.flatMap((words, at) => [...(at > 0 ? [between] : []), ...sentenceOf(words).parts]));
}

/** `--drop snapshots`, `-f raw`; in the action `drop: snapshots`, `source-format: raw`. */
export function option(name: string, value?: string): Sentence {
  return new Sentence([{ ref: "option", name, value }]);
}

/** `inplace-convert check -r all 'my disk.qcow2'`, to be pasted into a shell. */
export function command(name: CommandReference["command"], path: string, ...options: readonly string[]): Sentence {
  return new Sentence([{ ref: "command", command: name, options, path }]);
}

/** The library's own name of an option. */
export function key(name: string): Sentence {
  return new Sentence([{ ref: "key", name }]);
}

/** The image, by its path. */
export function imageNamed(path: string): Sentence {
  return new Sentence([{ ref: "image", path }]);
}

/** Before what the image is, e.g. `qcow2 to qed`: nothing, or `disk.img from ` once somebody knows its name. */
export const UNNAMED = new Sentence([{ ref: "unnamed" }]);

/** The place that an error is about, as qemu-img writes addresses. */
export function placeAt(hostOffset: number): Sentence {
  return new Sentence([{ ref: "place", hostOffset }]);
}

/** Joined by "or"; a face leaves out what it has no option for, unless nothing would be left. */
export function either(ways: readonly Words[]): Sentence {
  return ways.length === 1
    ? sentenceOf(ways[0] as Words)
    : new Sentence([{ ref: "either", ways: ways.map(sentenceOf) }]);
}

/** The command as it can be pasted, for a program that is called so. */
export function commandText({ command: name, options, path }: CommandReference, program: string): string {
  return [program, name, ...options, shellWord(path)].join(" ");
}

const SHORT: Readonly<Record<string, string>> = {
  format: "-f",
  "force-share": "-U",
  "target-format-options": "-o",
  compress: "-c",
  "sparse-size": "-S",
};

/** The command line's words; `program` is how its user calls it. */
export function commandLine(program: string): Vocabulary {
  return {
    option: ({ name, value }) => `${SHORT[name] ?? `--${name}`}${value === undefined ? "" : ` ${value}`}`,
    command: (reference) => commandText(reference, program),
    key: (name) => name,
  };
}

export const COMMAND_LINE = commandLine("inplace-convert");

function worded(part: SentenceReference, vocabulary: Vocabulary): string {
  switch (part.ref) {
    case "option":
      return vocabulary.option(part) ?? (COMMAND_LINE.option(part) as string);
    case "command":
      return vocabulary.command(part);
    case "key":
      return vocabulary.key(part.name);
    case "image":
      return part.path === "" ? '""' : part.path;
    case "unnamed":
      return "";
    case "place":
      return `0x${part.hostOffset.toString(16)}`;
    case "either": {
      const sayable = part.ways.filter((way) => way.isSayable(vocabulary));
      return (sayable.length > 0 ? sayable : part.ways).map((way) => way.in(vocabulary)).join(", or ");
    }
  }
}
