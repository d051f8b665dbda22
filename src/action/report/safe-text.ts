/** Text that may hold names from outside, made harmless for logs, annotations and the summary. */

/** Terminal escapes begin with C0 or C1 controls; the bidirectional ones reorder what is read. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * One line: every control character written out (`\x1b`), and neither `::` nor `##[`, which a runner takes for
 * commands.
 */
export function safeLine(text: string): string {
  return text
    .replace(STEERING, written)
    .replaceAll(/:(?=:)/g, "\\x3a")
    .replaceAll("##[", "#\\x23[");
}

/** The same with its line breaks kept. */
export function safeLines(text: string): string {
  return text.split(/\r?\n/).map(safeLine).join("\n");
}

/** At most `length` characters, the end replaced by `ending` where it is cut. */
export function shortened(text: string, length: number, ending: string): string {
  if (text.length <= length) return text;
  // A cut through a surrogate pair leaves half a character.
  return `${text.slice(0, length - ending.length).replace(/[\ud800-\udbff]$/, "")}${ending}`;
}

/** For HTML that a page may take for Markdown too, as text or as an attribute's value. */
export function escapedHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function written(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
