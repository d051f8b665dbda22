/** Pieces of HTML for the summary and the page; whatever comes from outside goes through `text` or `code`. */

import { escapedHtml, safeLine, shortened } from "./safe-text.ts";

const MAX_TEXT = 4096;

/** One line, escaped and cut. */
export function text(value: string): string {
  return escapedHtml(shortened(safeLine(value), MAX_TEXT, " …"));
}

/** In code nothing becomes a link or a mention. */
export function code(value: string): string {
  return `<code>${text(value)}</code>`;
}

/** As many of `parts` as fit, then how many do not. */
export function withinBytes(parts: readonly string[], maxBytes: number, more: (count: number) => string): string[] {
  let used = 0;
  const fits = parts.findIndex((part) => {
    used += Buffer.byteLength(part);
    return used > maxBytes;
  });
  return fits < 0 ? [...parts] : [...parts.slice(0, fits), more(parts.length - fits)];
}
