/** Sentences are written and never read: the source is searched for code that looks into one, or words an option itself. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../../src");
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replaceAll("\\", "/"));

/** A message, reason, loss or note that is asked what is in it. */
const SENTENCE = String.raw`(?:(?:message|reason|loss|sentence)\b|reasons\[\d\])`;
const READING = [
  new RegExp(
    String.raw`\b${SENTENCE}\??\.(?:includes|startsWith|endsWith|match|matchAll|search|replace|replaceAll|split|slice|indexOf)\(`,
  ),
  new RegExp(String.raw`\.(?:test|exec)\((?:[\w.]+\.)?${SENTENCE}\)`),
];

/** What may look into a sentence, and why. */
const MAY_READ: Readonly<Record<string, string>> = {
  "acquire/unpack/xz-contents.ts": "the decoder tells its number in a sentence alone",
  "cli/failure.ts": "two texts for the same screen: what the one holds is not printed again",
  "cli/program.ts": "commander has no values, only a sentence that suggests commands",
  "action/report/annotations.ts": "two texts for the same annotation; a collected report is text alone",
  "action/results/result-findings.ts": "two texts for the same annotation; a collected report is text alone",
};

/** Files of which a line that is no comment fits one of the patterns. */
function filesWith(patterns: readonly RegExp[]): string[] {
  return files.filter((name) =>
    readFileSync(join(SOURCE, name), "utf8")
      .split("\n")
      .some((line) => !/^\s*(?:\*|\/)/.test(line) && patterns.some((pattern) => pattern.test(line))),
  );
}

test("the patterns know what they look for", () => {
  const known = [
    `if (error.message.includes("; ")) return;`,
    `return error.message.startsWith("Nothing to ");`,
    `/no such file/.test(error.message)`,
    `const way = loss.endsWith("here") ? "" : "x";`,
    `const [, a] = /x/.exec(message) ?? [];`,
    `reasons[0].match(/x/)`,
  ];
  for (const line of known) expect(READING.some((pattern) => pattern.test(line))).toBe(true);
  expect(READING.some((pattern) => pattern.test("told(found.message, reasons)"))).toBe(false);
});

test("no code reads what was written for people, but those that say why", () => {
  expect(filesWith(READING).sort()).toEqual(Object.keys(MAY_READ).sort());
});

test("below the command line no sentence has its options or commands in plain text", () => {
  const ours = "drop|backing-chain|allow-marked-raw|force-share|keep-undo|no-check|max-extra-space|cross-check|journal";
  const worded = filesWith([
    new RegExp(String.raw`["'\` (]--(?:${ours})\b`),
    /inplace-convert (?:check|convert|resume|rollback) /,
  ]);
  expect(worded.filter((name) => !name.startsWith("cli/"))).toEqual([]);
});
