/** HTML for the summary and the page, from a template that escapes: a value gets in as text, unless it is HTML made by it. */

import { escapedHtml, safeLine, shortened } from "./safe-text.ts";

const MAX_TEXT = 4096;

/** What a template takes. */
export type Content = Html | string | number;

/** Made by `html` alone, so that nothing from outside is ever taken for it. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** The tag of a template: values between its words are text, one line each, escaped and cut; lists are joined. */
  static template(words: TemplateStringsArray, ...values: readonly (Content | readonly Content[])[]): Html {
    return new Html(String.raw({ raw: words }, ...values.map(markupOf)));
  }

  get isEmpty(): boolean {
    return this.#markup === "";
  }

  toString(): string {
    return this.#markup;
  }
}

export const html = Html.template;

function markupOf(value: Content | readonly Content[]): string {
  if (typeof value === "string") return escapedHtml(oneLine(value));
  return typeof value === "object" && !(value instanceof Html) ? value.map(markupOf).join("") : String(value);
}

/** As a template takes it, before it is escaped. */
export function oneLine(value: string): string {
  return shortened(safeLine(value), MAX_TEXT, " …");
}

/** In code nothing becomes a link or a mention. */
export function code(value: string): Html {
  return html`<code>${value}</code>`;
}

/** A digest, which may go on in another line where it has no room; whoever copies it gets it whole. */
export function digestCode(value: string): Html {
  // A report of another job may have anything in its place.
  if (!/^(?:sha\d+:)?(?:[0-9a-f]{64}){1,2}$/.test(value)) return code(value);
  return html`<code>${joined(value.match(/.{1,16}/g) ?? [], html`<wbr>`)}</code>`;
}

export function joined(parts: readonly Content[], between: Html): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${between}${part}`))}`;
}

/** Each on a line of its own, whatever its width. */
export function onLines(parts: readonly Content[]): Html {
  return joined(parts, html`<br>`);
}

export function isEmpty(content: Content): boolean {
  return content instanceof Html ? content.isEmpty : content === "";
}

/** As many of `parts` as fit, then how many do not. */
export function withinBytes(parts: readonly Html[], maxBytes: number, more: (count: number) => Html): Html[] {
  let used = 0;
  const fits = parts.findIndex((part) => {
    used += Buffer.byteLength(String(part));
    return used > maxBytes;
  });
  return fits < 0 ? [...parts] : [...parts.slice(0, fits), more(parts.length - fits)];
}
