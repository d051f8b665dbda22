/** The library speaks of the command line's options and of its own; here they are inputs. */

import { COMMAND_LINE, type OptionReference, type Vocabulary } from "../../index.ts";

/** What the library calls its options where they aren't called as the inputs. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  maxExtraSpace: "max-extra-space",
  crossCheck: "cross-check",
  keepUndo: "keep-undo",
  backingChain: "backing-chain",
  dryRun: "dry-run",
  sparseSize: "sparse-size",
};

/** Inputs by the command line's names; what is not here the action does not have. */
const INPUTS: Readonly<Record<string, string>> = {
  format: "source-format",
  drop: "drop",
  "target-format-options": "options",
  checksum: "checksum",
  verify: "verify",
  "cross-check": "cross-check",
  "max-extra-space": "max-extra-space",
  "sparse-size": "sparse-size",
};

/** Those that are given by their name alone. */
const FLAGS: Readonly<Record<string, string>> = {
  "backing-chain": "backing-chain: true",
  "keep-undo": "keep-undo: true",
  "no-check": "check: false",
  compress: "compress: true",
  compact: "compact: true",
  "no-compact": "compact: false",
};

/** `--drop bitmaps` is `drop: bitmaps`, `-f raw` `source-format: raw`, and a repair is an input too. */
export const INPUT_WORDS: Vocabulary = {
  option: inputFor,
  command(reference) {
    const { command, options } = reference;
    const [repair, extent] = options;
    return command === "check" && repair === "-r" && options.length === 2
      ? `set repair to ${extent}`
      : COMMAND_LINE.command(reference);
  },
  key: (name) => OWN_NAMES[name] ?? name,
};

function inputFor({ name, value }: OptionReference): string | undefined {
  const input = INPUTS[name];
  if (input === undefined) return FLAGS[name];
  return value === undefined ? input : `${input}: ${value}`;
}
