/** JSON of the command line: the library's values with all keys in kebab case, and nothing that steers a terminal. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `bytesWritten` becomes `bytes-written`, `roll back` `roll-back`, at every depth. */
export function kebabKeys(value: unknown): Json {
  if (Array.isArray(value)) return value.map(kebabKeys);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [kebab(key), kebabKeys(each)]),
  );
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll(" ", "-");
}

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
