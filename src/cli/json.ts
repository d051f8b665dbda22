/** JSON as the command line prints it: nothing in it steers a terminal. */

/** JSON.stringify leaves DEL, C1 and the bidirectional controls as they are; a terminal obeys them. */
const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Ends with a line break, as everything on stdout does. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 4).replace(STEERING, escaped)}\n`;
}

/** The same for a list, one entry a line, as `qemu-img map` prints it: a large image has many. */
export function jsonLines(entries: readonly unknown[]): string {
  return `[${entries.map((entry) => JSON.stringify(entry)).join(",\n")}]\n`.replace(STEERING, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
