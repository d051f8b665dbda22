/** How it went: a shape, a sign and a word, so that no colour is needed to read it. */

import type { Tone } from "../../results/outcome.ts";
import { type Html, html } from "../html.ts";

const SIGNS: Readonly<Record<Tone, string>> = { good: "✓", doubtful: "!", bad: "✕", open: "…" };

export function status(tone: Tone, word: string): Html {
  return html`<span class="status ${tone}"><span class="sign" aria-hidden="true"><b>${SIGNS[tone]}</b></span>${word}</span>`;
}
