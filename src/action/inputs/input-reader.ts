/** Reads one input after another and keeps every mistake, so that all are told at once. */

import { UsageError } from "../../index.ts";
import { inputMistake } from "./input-mistakes.ts";
import type { InputName } from "./input-names.ts";

const TRUE = ["true", "True", "TRUE"];
const FALSE = ["false", "False", "FALSE"];

export class InputReader {
  readonly mistakes: string[] = [];
  readonly #wrong = new Set<InputName>();
  readonly #readText: (name: InputName) => string;
  readonly #defaults: Readonly<Record<InputName, string>>;

  /** @param readText the input's text as the runner gives it, empty where it was left out */
  constructor(readText: (name: InputName) => string, defaults: Readonly<Record<InputName, string>>) {
    this.#readText = readText;
    this.#defaults = defaults;
  }

  text(name: InputName): string {
    return this.#readText(name).trim() || this.#defaults[name];
  }

  /** For a value that may be told. */
  refuse(name: InputName, why: string): void {
    this.mistake(name, `Cannot use "${this.text(name)}": ${why}`);
  }

  mistake(names: InputName | readonly InputName[], sentence: string): void {
    for (const name of [names].flat()) this.#wrong.add(name);
    this.mistakes.push(inputMistake(names, sentence));
  }

  isWrong(name: InputName): boolean {
    return this.#wrong.has(name);
  }

  /** The default where it is none of them, so that nobody else stumbles over it and tells it again. */
  choice<const T extends string>(name: InputName, choices: readonly T[]): T {
    const value = this.text(name) as T;
    if (choices.includes(value)) return value;
    this.refuse(name, `expected ${orList(choices)}`);
    return this.#defaults[name] as T;
  }

  /** As YAML's core schema writes them, which is what runners take. */
  flag(name: InputName): boolean {
    const value = this.text(name);
    if (!TRUE.includes(value) && !FALSE.includes(value)) this.refuse(name, "expected true or false");
    return TRUE.includes(value);
  }

  /** A whole number from 1 to `max`; 1 where it is none. */
  count(name: InputName, max: number, orElse = ""): number {
    const [text, value] = [this.text(name), Number(this.text(name))];
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    this.refuse(name, `expected ${orElse}a number from 1 to ${max}`);
    return 1;
  }

  /** Parts between line breaks and commas. */
  words(name: InputName): readonly string[] {
    return this.text(name)
      .split(/[\n,]/)
      .map((word) => word.trim())
      .filter((word) => word !== "");
  }

  /** The value, or undefined and a mistake where `read` throws a UsageError. */
  attempt<T>(name: InputName, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.mistake(name, error.message);
      return undefined;
    }
  }
}

function orList(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
