/** After a failed conversion: in what state the image is, and the exact commands that go on. */

import { ImageError } from "../index.ts";

/** The library names this program in its messages; `invocation` is how the user called it. */
export function asInvoked(message: string, invocation: string): string {
  return message.replaceAll(/\binplace-convert (?=(?:resume|rollback) )/g, `${invocation} `);
}

/** What the message leaves unsaid about the image, as sentences; an error that leaves a journal names the ways on itself. */
export function stateOf(error: unknown): readonly string[] {
  if (!(error instanceof ImageError) || error.journal !== undefined || error.operation === "open") return [];
  return /\b(as it was|nothing was (written|touched))\b/.test(error.message) ? [] : ["The image is as it was"];
}

/** `text` as one word of a POSIX shell, never an option. */
export function shellWord(text: string): string {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
