/** README.md as its tests follow it: fenced blocks, messages of its FAQ, rows of a table. */

import { readFileSync } from "node:fs";

export const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** The insides of each fenced block of `language`, in order. */
export function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
    .filter(([, named]) => named === language)
    .map(([, , inside = ""]) => inside);
}

/** The languages that its blocks name; "" for one that names none. */
export function blockLanguages(): Set<string> {
  const fences = [...readme.matchAll(/^```(.*)$/gm)].map(([, language = ""]) => language);
  return new Set(fences.filter((_, at) => at % 2 === 0));
}

/** What stands below the title `## title`, up to the next. */
export function section(title: string): string {
  const [, text] = new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, "m").exec(readme) ?? [];
  if (text === undefined) throw new Error(`README.md has no section "${title}"`);
  return text;
}
