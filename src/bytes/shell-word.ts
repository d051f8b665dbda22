/** Words of a command that a POSIX shell takes as they were meant. */

/** `text` as one word of a POSIX shell, never an option. */
export function shellWord(text: string): string {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
