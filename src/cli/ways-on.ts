/** After a failed write: in what state the image is, and the exact commands that go on. */

import type { ImageError } from "../index.ts";

/**
 * Sentences for people.
 *
 * @param journal the value of `--journal`, which must be given again
 * @param invocation how this program was called
 */
export function waysOn(
  error: ImageError,
  image: string,
  journal: string | undefined,
  invocation: string,
): readonly string[] {
  if (error.journal !== undefined) {
    const options = journal === undefined ? "" : ` --journal ${shellWord(journal)}`;
    const command = (name: string) => `${invocation} ${name}${options} ${shellWord(image)}`;
    return [`To finish, run: ${command("resume")}`, `To put the image back, run: ${command("rollback")}`];
  }
  return [error.rolledBack ? "The image was put back: it is as it was" : "The image is as it was"];
}

/** `text` as one word of a POSIX shell, never an option. */
export function shellWord(text: string): string {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
