/** Reads one input after another and keeps every mistake, so that all are told at once. */

import { UsageError } from "../index.ts";

const TRUE = ["true", "True", "TRUE"];
const FALSE = ["false", "False", "FALSE"];

export class InputReader<Name extends string> {
  readonly mistakes: string[] = [];
  readonly #readText: (name: Name) => string;
  readonly #defaults: Readonly<Record<Name, string>>;

  /** @param readText the input's text as the runner gives it, empty where it was left out */
  constructor(readText: (name: Name) => string, defaults: Readonly<Record<Name, string>>) {
    this.#readText = readText;
    this.#defaults = defaults;
  }

  text(name: Name): string {
    return this.#readText(name).trim() || this.#defaults[name];
  }

  refuse(name: Name, why: string): void {
    this.mistakes.push(`Cannot use ${name}: "${this.text(name)}": ${why}`);
  }

  /** The default where it is none of them, so that nobody else stumbles over it and tells it again. */
  choice<const T extends string>(name: Name, choices: readonly T[]): T {
    const value = this.text(name) as T;
    if (choices.includes(value)) return value;
    this.refuse(name, `expected ${orList(choices)}`);
    return this.#defaults[name] as T;
  }

  /** As YAML's core schema writes them, which is what runners take. */
  flag(name: Name): boolean {
    const value = this.text(name);
    if (!TRUE.includes(value) && !FALSE.includes(value)) this.refuse(name, "expected true or false");
    return TRUE.includes(value);
  }

  /** A whole number from 1 to `max`; 1 where it is none. */
  count(name: Name, max: number, orElse = ""): number {
    const [text, value] = [this.text(name), Number(this.text(name))];
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    this.refuse(name, `expected ${orElse}a number from 1 to ${max}`);
    return 1;
  }

  /** Parts between line breaks and commas. */
  words(name: Name): readonly string[] {
    return this.text(name)
      .split(/[\n,]/)
      .map((word) => word.trim())
      .filter((word) => word !== "");
  }

  /** The value, or undefined and a mistake where `read` throws a UsageError. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.mistakes.push(error.message);
      return undefined;
    }
  }
}

function orList(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
