/** The step's summary: what became of all images at one look, then what there is to know about each. */

import { formatSize } from "../../index.ts";
import { checksChange, checksumText, savingText, tookText, totalsOf } from "../results/figures.ts";
import { counted } from "../results/findings.ts";
import { type ImageResult, lastCheck, nameNow } from "../results/image-result.ts";
import { headlineOf, isOnlyChecked, isUnchanged, outcomeText, type Tone, toneOf } from "../results/outcome.ts";
import type { StepResult } from "../results/step-result.ts";
import { type Content, code, type Html, html, isEmpty, onLines, withinBytes } from "./html.ts";
import { imageSection } from "./summary-section.ts";

/** A runner takes 1 MiB for a step; what others add to it has room too. */
const MAX_BYTES = 900 * 1024;
/** Beyond so many images only those that did not go well are told one by one. */
const MANY_IMAGES = 100;
/** Jobs of a matrix that are listed. */
const MAX_JOBS = 256;

const SIGNS: Readonly<Record<Tone, string>> = { good: "✅", doubtful: "⚠️", bad: "❌", open: "⏳" };
const RANKS: readonly Tone[] = ["bad", "doubtful", "good", "open"];

/** HTML without a blank line, so that no Markdown is looked for in it. */
export function summaryOf(step: StepResult): string {
  const { results, dryRun } = step;
  const worst = RANKS.find((tone) => results.some((result) => toneOf(result, dryRun) === tone)) ?? "good";
  const head = [html`<h2>${SIGNS[worst]} ${headlineOf(step)}</h2>\n`, saving(step)];
  const [checked, others] = [
    results.filter((result) => isOnlyChecked(result, step)),
    results.filter((result) => !isOnlyChecked(result, step)),
  ];
  const tables =
    results.length < 2
      ? []
      : [
          ...table(conversionHead(dryRun), others, (result) => conversionRow(result, dryRun)),
          ...table(CHECK_HEAD, checked, (result) => checkRow(result, dryRun)),
        ];
  const start = html`${[...head, ...tables, ...jobs(step)]}`;
  const sections = sectionsOf(step);
  const used = Buffer.byteLength(String(start));
  const leftOut = (count: number) =>
    html`<p>${counted(count, "more image")} ${count === 1 ? "is" : "are"} left out here</p>\n`;
  return String(html`${start}${withinBytes(sections, MAX_BYTES - used, leftOut)}`);
}

/** Inputs that can't be used, all of them. */
export function mistakesSummary(mistakes: readonly string[]): string {
  const items = mistakes.map((mistake) => html`<li>${mistake}</li>\n`);
  const shown = withinBytes(items, MAX_BYTES, (count) => html`<li>${count} more</li>\n`);
  return String(html`<h2>Cannot use these inputs</h2>\n<ul>\n${shown}</ul>\n<p>Nothing was touched.</p>\n`);
}

function saving(step: StepResult): Html {
  const said = savingText(totalsOf(step), step.dryRun);
  const untouched = step.dryRun ? html`<p>Nothing was written.</p>\n` : "";
  return html`${said === "" ? "" : html`<p><b>${said}.</b></p>\n`}${untouched}`;
}

/** What did not go well comes first; of very many images the rest is in the table alone. */
function sectionsOf({ results, dryRun }: StepResult): Html[] {
  const ranked = RANKS.flatMap((tone) => results.filter((result) => toneOf(result, dryRun) === tone));
  const isTold = (tone: Tone) =>
    tone === "bad" || tone === "doubtful" || (tone === "good" && results.length <= MANY_IMAGES);
  const told = ranked.filter((result) => isTold(toneOf(result, dryRun)));
  return told.map((result) => imageSection(result, { dryRun, imageCount: results.length }));
}

type Head = readonly (readonly [name: string, align: "left" | "right"])[];

const conversionHead = (isPlan: boolean): Head => [
  ["", "left"],
  ["Image", "left"],
  ["Result", "left"],
  [isPlan ? "To\u00a0write" : "Written", "right"],
  ["Instead\u00a0of", "right"],
  ["Checksum", "left"],
  ["Check", "left"],
  ["Took", "right"],
];

const CHECK_HEAD: Head = [
  ["", "left"],
  ["Image", "left"],
  ["Result", "left"],
  ["Format", "left"],
  ["Corruptions", "right"],
  ["Leaks", "right"],
  ["Repaired", "right"],
  ["Took", "right"],
];

/** Nothing where there are no results. */
function table(
  head: Head,
  results: readonly ImageResult[],
  cellsOf: (result: ImageResult) => readonly Content[],
): Html[] {
  if (results.length === 0) return [];
  const cells = results.map(cellsOf);
  // A column in which nothing stands is left out.
  const isFull = head.map((_, at) => cells.some((row) => !isEmpty(row[at] ?? "")));
  const cell = (value: Content, at: number) => {
    if (!isFull[at]) return "";
    return head[at]?.[1] === "right" ? html`<td align="right">${value}</td>` : html`<td>${value}</td>`;
  };
  const rows = cells.map((row) => html`<tr>${row.map(cell)}</tr>\n`);
  const full = head.filter((_, at) => isFull[at]);
  const names = full.map(([name, align]) => html`<th align="${align}">${name}</th>`);
  const more = (count: number) => html`<tr><td></td><td colspan="${full.length - 1}">${count} more</td></tr>\n`;
  return [html`<table>\n<tr>${names}</tr>\n${withinBytes(rows, MAX_BYTES / 3, more)}</table>\n`];
}

function conversionRow(result: ImageResult, dryRun: boolean): Content[] {
  const { report } = result;
  const isChange = report !== undefined && !isUnchanged(report, dryRun);
  return [
    ...common(result, dryRun),
    isChange ? unbroken(formatSize(report.bytesWritten)) : "",
    isChange ? unbroken(formatSize(report.guestDataBytes)) : "",
    report ? checksumText(report) : "",
    report ? checksChange(report) : "",
    report ? unbroken(tookText(report)) : "",
  ];
}

/** Number and unit stay on one line. */
function unbroken(words: string): string {
  return words.replaceAll(" ", "\u00a0");
}

function checkRow(result: ImageResult, dryRun: boolean): Content[] {
  const { check } = result;
  const found = lastCheck(result);
  const fixed = check ? check.corruptionsFixed + check.leaksFixed : 0;
  return [
    ...common(result, dryRun),
    check?.format ?? "",
    found ? (found.corruptions + found.checkErrors).toLocaleString("en-US") : "",
    found ? found.leaks.toLocaleString("en-US") : "",
    fixed > 0 ? fixed.toLocaleString("en-US") : "",
    check ? unbroken(tookText(check)) : "",
  ];
}

function common(result: ImageResult, dryRun: boolean): Content[] {
  const now = nameNow(result);
  return [
    SIGNS[toneOf(result, dryRun)],
    html`${code(result.image)}${now === undefined ? "" : html`<br>now ${code(now)}`}`,
    outcomeText(result, dryRun).replace(/^(\S+) → (\S+)$/, "$1\u00a0→\u00a0$2"),
  ];
}

/** The jobs of a plan, with what each will do. */
function jobs({ matrix }: StepResult): Html[] {
  if (!matrix || matrix.include.length === 0) return [];
  const rows = matrix.include.slice(0, MAX_JOBS).map(({ shard, images }) => {
    const lines = images.split("\n");
    const more = lines.length > 3 ? ` and ${lines.length - 3} more` : "";
    const shown = html`${onLines(lines.slice(0, 3).map(code))}${more}`;
    return html`<tr><td align="right">${shard}</td><td align="right">${lines.length}</td><td>${shown}</td></tr>\n`;
  });
  const shown = withinBytes(rows, MAX_BYTES / 4, (count) => html`<tr><td colspan="3">${count} more</td></tr>\n`);
  const head = html`<tr><th align="right">Job</th><th align="right">Images</th><th align="left">Which</th></tr>\n`;
  return [html`<h3>Jobs</h3>\n<table>\n${head}${shown}</table>\n`];
}
