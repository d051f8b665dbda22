/** What is wrong with the inputs, each mistake under its input's name, those too that only the library knows. */

import { type ConvertOptions, usageMistakes } from "../../index.ts";
import type { InputName } from "./input-names.ts";
import { INPUT_WORDS } from "./input-words.ts";

/** `input "drop": Cannot drop everything: …`. */
export function inputMistake(names: InputName | readonly InputName[], sentence: string): string {
  const all = [names].flat();
  return `input${all.length === 1 ? "" : "s"} ${all.map((name) => `"${name}"`).join(" and ")}: ${sentence}`;
}

export interface LibraryMistake {
  /** More than one where they only contradict each other. */
  readonly names: readonly InputName[];
  readonly sentence: string;
}

/** Which of the library's options each input gives. */
const OPTION_OF = {
  "source-format": "format",
  checksum: "checksum",
  verify: "verify",
  check: "check",
  "keep-undo": "keepUndo",
  "max-extra-space": "maxExtraSpace",
  "cross-check": "crossCheck",
  drop: "drop",
  "backing-chain": "backingChain",
  compress: "compress",
  compact: "compact",
  "sparse-size": "sparseSize",
  "dry-run": "dryRun",
  options: "options",
} as const satisfies Readonly<Partial<Record<InputName, keyof ConvertOptions>>>;
type OptionInput = keyof typeof OPTION_OF;
const OPTION_INPUTS = Object.keys(OPTION_OF) as readonly OptionInput[];

/**
 * What the library refuses whatever the image: asked one input at a time, so that none hides another, and then of all
 * together.
 */
export function libraryMistakes(targetFormat: string | undefined, options: ConvertOptions): readonly LibraryMistake[] {
  const found = new Map<string, readonly InputName[]>();
  const add = (names: readonly InputName[], sentences: readonly string[]) => {
    for (const sentence of sentences) if (!found.has(sentence)) found.set(sentence, names);
  };
  for (const name of OPTION_INPUTS) if (name !== "options") add([name], mistakesIn(undefined, only(options, name)));
  if (targetFormat !== undefined) {
    const withOptions = mistakesIn(targetFormat, only(options, "options"));
    // What the format lacks by itself the options may give, as a VHD's subformat.
    const ofFormat = mistakesIn(targetFormat).filter((sentence) => withOptions.includes(sentence));
    add(["target-format"], ofFormat);
    add(["options"], withOptions);
  }
  if (found.size === 0) {
    for (const sentence of mistakesIn(targetFormat, options)) {
      add(blamed(targetFormat, options, sentence), [sentence]);
    }
  }
  return [...found].map(([sentence, names]) => ({ names, sentence }));
}

function mistakesIn(targetFormat: string | undefined, options: ConvertOptions = {}): readonly string[] {
  return usageMistakes(targetFormat, options, INPUT_WORDS);
}

function only(options: ConvertOptions, name: OptionInput): ConvertOptions {
  const key = OPTION_OF[name];
  return options[key] === undefined ? {} : { [key]: options[key] };
}

/** Those without any of which the mistake is gone. */
function blamed(targetFormat: string | undefined, options: ConvertOptions, sentence: string): readonly InputName[] {
  const names = OPTION_INPUTS.filter((name) => {
    const { [OPTION_OF[name]]: _, ...others } = options;
    return !mistakesIn(targetFormat, others).includes(sentence);
  });
  return names.length > 0 ? names : ["target-format"];
}
