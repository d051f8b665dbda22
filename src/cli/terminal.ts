/** Where the command line writes: results to stdout, everything else to stderr, nothing that could steer a terminal. */

import { outputOf } from "./output.ts";

export interface Terminal {
  /** A result; ends with its own line break. */
  result(text: string): void;
  /** Waits until all results are written; what kept one from it, where something did. */
  loss(): Promise<Error | undefined>;
  /** Everything else, one line. */
  note(line: string): void;
  /** Where a progress bar may be drawn; undefined where no person looks on. */
  readonly bar: NodeJS.WritableStream | undefined;
  /** Whether a person looks on at both outputs, so that progress may show unasked: a pager behind stdout owns the screen. */
  readonly isWatched: boolean;
  /** Whether results may have colours. */
  readonly hasColor: boolean;
  /** How many characters a line of results may have; undefined where nobody says. */
  readonly columns?: number | undefined;
  /** Milliseconds from any fixed moment. */
  now(): number;
  /** How this program was called, for commands to be repeated: `inplace-convert`, `node dist/cli.mjs`. */
  readonly invocation: string;
}

/** Terminal escapes begin with C0 or C1 controls; the bidirectional ones reorder what is read. Line breaks stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `text` with every control character written out (`\x1b`), so that a name from an image can't steer a terminal. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same for one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
}

export function terminalOf(process: NodeJS.Process, invocation: string): Terminal {
  const output = outputOf(process.stdout);
  const canMoveCursor = process.env.TERM !== "dumb";
  const bar = process.stderr.isTTY && canMoveCursor ? process.stderr : undefined;
  // Where nothing can be told any more there is still the exit code.
  process.stderr.on("error", () => {});
  return {
    result: (text) => output.write(text),
    loss: () => output.loss(),
    note: (line) => process.stderr.write(`${line}\n`),
    bar,
    isWatched: bar !== undefined && process.stdout.isTTY === true,
    hasColor: process.stdout.isTTY === true && canMoveCursor && !process.env.NO_COLOR,
    columns: process.stdout.columns,
    now: () => performance.now(),
    invocation,
  };
}
