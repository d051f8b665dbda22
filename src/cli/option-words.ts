/** A command line taken apart as getopt does it, without knowing what any option means. */

export interface OptionWords {
  /** What is no option. */
  readonly words: readonly string[];
  /** By flag, `-f` or `--format`: each value that was given; empty text for a flag that takes none. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** `valued`: the flags that a value follows, as `-f raw`, `-fraw`, `--format raw` or `--format=raw`. */
export function optionWords(given: readonly string[], valued: ReadonlySet<string>): OptionWords {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  const add = (flag: string, value: string) => values.set(flag, [...(values.get(flag) ?? []), value]);
  const left = [...given];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "--") words.push(...left.splice(0));
    else if (word.startsWith("--")) {
      const [, flag = word, value] = /^(--[^=]*)=(.*)$/s.exec(word) ?? [];
      add(flag, value ?? (valued.has(flag) ? (left.shift() ?? "") : ""));
    } else if (word.startsWith("-") && word.length > 1) {
      for (let at = 1; at < word.length; at++) {
        const flag = `-${word[at]}`;
        if (!valued.has(flag)) add(flag, "");
        else {
          add(flag, word.slice(at + 1) || (left.shift() ?? ""));
          break;
        }
      }
    } else words.push(word);
  }
  return { words, values };
}
