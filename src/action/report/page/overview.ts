/** The page's tables of all images: one row each, stacked on a phone. */

import { formatSize } from "../../../index.ts";
import { checksChange, checksumText, tookText } from "../../results/figures.ts";
import { counted } from "../../results/findings.ts";
import { type ImageResult, lastCheck, nameNow } from "../../results/image-result.ts";
import { isOnlyChecked, isUnchanged, outcomeText, toneOf } from "../../results/outcome.ts";
import type { StepResult } from "../../results/step-result.ts";
import { type Content, code, type Html, html, isEmpty, onLines } from "../html.ts";
import { shortened } from "../safe-text.ts";
import { status } from "./status.ts";

/** Rows; a fleet's thousands have the JSON report. */
const MAX_ROWS = 5000;
const MAX_WHY = 300;

interface Column {
  readonly name: string;
  readonly isNumber?: true;
  readonly of: (result: ImageResult, dryRun: boolean) => Content;
}

const changeColumns = (isPlan: boolean): readonly Column[] => [
  {
    name: isPlan ? "To write" : "Written",
    isNumber: true,
    of: (result, dryRun) => ofChange(result, dryRun, "bytesWritten"),
  },
  { name: "Instead of", isNumber: true, of: (result, dryRun) => ofChange(result, dryRun, "guestDataBytes") },
  { name: "Checksum", of: ({ report }) => (report ? checksumText(report) : "") },
  { name: "Check", of: ({ report }) => (report ? checksChange(report) : "") },
  { name: "Took", isNumber: true, of: ({ report }) => (report ? tookText(report) : "") },
];

const CHECK: readonly Column[] = [
  { name: "Format", of: ({ check }) => check?.format ?? "" },
  { name: "Corruptions", isNumber: true, of: (result) => found(result, "corruptions") },
  { name: "Leaks", isNumber: true, of: (result) => found(result, "leaks") },
  {
    name: "Repaired",
    isNumber: true,
    of: ({ check }) => {
      const fixed = check ? check.corruptionsFixed + check.leaksFixed : 0;
      return fixed > 0 ? fixed.toLocaleString("en-US") : "";
    },
  },
  { name: "Took", isNumber: true, of: ({ check }) => (check ? tookText(check) : "") },
];

/** @param isTold whether the image has a section of its own, to which its name leads */
export function overviewTables(step: StepResult, isTold: (result: ImageResult) => boolean): Html {
  const numbered = step.results.map((result, index) => ({ result, index }));
  const checks = numbered.filter(({ result }) => isOnlyChecked(result, step));
  const others = numbered.filter(({ result }) => !isOnlyChecked(result, step));
  const draw = (rows: typeof numbered, columns: readonly Column[], caption: string) => {
    if (rows.length === 0) return "";
    // A column in which nothing stands is left out.
    const full = columns.filter((column) => rows.some(({ result }) => !isEmpty(column.of(result, step.dryRun))));
    const names = full.map(({ name, isNumber }) => html`<th scope="col"${numberClass(isNumber)}>${name}</th>`);
    const body = rows.slice(0, MAX_ROWS).map(({ result, index }) => {
      const cells = full.map((column) => cell(column, column.of(result, step.dryRun)));
      return row(result, index, cells, step.dryRun, isTold(result));
    });
    const hidden = rows.length - MAX_ROWS;
    const more = hidden > 0 ? html`<p class="quiet">${counted(hidden, "more image")} in the JSON report</p>\n` : "";
    const head = html`<tr><th scope="col">Image</th><th scope="col">Result</th>${names}</tr>`;
    return html`<table class="overview"><caption>${caption}</caption><thead>${head}</thead>\n<tbody>\n${body}</tbody></table>\n${more}`;
  };
  const written = `${step.dryRun ? "what would be" : "what was"} written, and what a copy would be`;
  return html`${[
    draw(others, changeColumns(step.dryRun), `${counted(others.length, "image")}: ${written}`),
    draw(checks, CHECK, `${counted(checks.length, "image")} checked, counts in clusters`),
  ]}`;
}

/** The jobs of a plan. */
export function jobsTable({ matrix }: StepResult): Content {
  if (!matrix || matrix.include.length === 0) return "";
  const rows = matrix.include.map(({ shard, images }) => {
    const lines = images.split("\n");
    const shown = onLines(lines.slice(0, 3).map(code));
    const more = lines.length > 3 ? html`<br><span class="quiet">and ${lines.length - 3} more</span>` : "";
    return html`<tr><td>${shard}</td><td class="number">${lines.length}</td><td>${shown}${more}</td></tr>\n`;
  });
  const caption = `${counted(rows.length, "job")} of the matrix`;
  const head = html`<tr><th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr>`;
  return html`<h2>Jobs</h2>\n<table class="jobs"><caption>${caption}</caption><thead>${head}</thead>\n<tbody>\n${rows}</tbody></table>\n`;
}

function row(result: ImageResult, index: number, cells: readonly Html[], dryRun: boolean, isTold: boolean): Html {
  const { image, failure } = result;
  const renamed = nameNow(result);
  const name = html`<bdi dir="ltr">${code(image)}</bdi>`;
  const now = renamed === undefined ? "" : html`<span class="now">now <bdi dir="ltr">${code(renamed)}</bdi></span>`;
  // Where nothing else tells of it, the row says why.
  const why = failure && !isTold ? html`<span class="now">${shortened(failure.message, MAX_WHY, " …")}</span>` : "";
  const first = html`<td>${isTold ? html`<a href="#image-${index}">${name}</a>` : name}${now}${why}</td>`;
  const outcome = status(toneOf(result, dryRun), outcomeText(result, dryRun));
  return html`<tr>${first}<td data-name="Result">${outcome}</td>${cells}</tr>\n`;
}

function cell({ name, isNumber }: Column, value: Content): Html {
  return html`<td${numberClass(isNumber)} data-name="${name}">${value}</td>`;
}

function numberClass(isNumber = false): Content {
  return isNumber ? html` class="number"` : "";
}

function ofChange({ report }: ImageResult, dryRun: boolean, figure: "bytesWritten" | "guestDataBytes"): string {
  return report && !isUnchanged(report, dryRun) ? formatSize(report[figure]) : "";
}

function found(result: ImageResult, count: "corruptions" | "leaks"): string {
  return lastCheck(result)?.[count].toLocaleString("en-US") ?? "";
}
