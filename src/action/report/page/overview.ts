/** The page's tables of all images: one row each, stacked on a phone. */

import { formatSize } from "../../../index.ts";
import { checksChange, checksumText, tookText } from "../../results/figures.ts";
import { counted } from "../../results/findings.ts";
import { type ImageResult, lastCheck, nameNow } from "../../results/image-result.ts";
import { isOnlyChecked, isUnchanged, outcomeText, toneOf } from "../../results/outcome.ts";
import type { StepResult } from "../../results/step-result.ts";
import { code, text } from "../html.ts";
import { shortened } from "../safe-text.ts";
import { status } from "./status.ts";

/** Rows; a fleet's thousands have the JSON report. */
const MAX_ROWS = 5000;
const MAX_WHY = 300;

interface Column {
  readonly name: string;
  readonly isNumber?: true;
  readonly of: (result: ImageResult, dryRun: boolean) => string;
}

const changeColumns = (isPlan: boolean): readonly Column[] => [
  {
    name: isPlan ? "To write" : "Written",
    isNumber: true,
    of: (result, dryRun) => ofChange(result, dryRun, "bytesWritten"),
  },
  { name: "Instead of", isNumber: true, of: (result, dryRun) => ofChange(result, dryRun, "guestDataBytes") },
  { name: "Checksum", of: ({ report }) => (report ? text(checksumText(report)) : "") },
  { name: "Check", of: ({ report }) => (report ? text(checksChange(report)) : "") },
  { name: "Took", isNumber: true, of: ({ report }) => (report ? tookText(report) : "") },
];

const CHECK: readonly Column[] = [
  { name: "Format", of: ({ check }) => text(check?.format ?? "") },
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
export function overviewTables(step: StepResult, isTold: (result: ImageResult) => boolean): string {
  const numbered = step.results.map((result, index) => ({ result, index }));
  const checks = numbered.filter(({ result }) => isOnlyChecked(result, step));
  const others = numbered.filter(({ result }) => !isOnlyChecked(result, step));
  const draw = (rows: typeof numbered, columns: readonly Column[], caption: string) => {
    if (rows.length === 0) return "";
    // A column in which nothing stands is left out.
    const full = columns.filter((column) => rows.some(({ result }) => column.of(result, step.dryRun) !== ""));
    const names = full.map(({ name, isNumber }) => `<th scope="col"${isNumber ? ' class="number"' : ""}>${name}</th>`);
    const body = rows.slice(0, MAX_ROWS).map(({ result, index }) => {
      const cells = full.map((column) => cell(column, column.of(result, step.dryRun)));
      return row(result, index, cells, step.dryRun, isTold(result));
    });
    const hidden = rows.length - MAX_ROWS;
    const more = hidden > 0 ? `<p class="quiet">${counted(hidden, "more image")} in the JSON report</p>\n` : "";
    return (
      `<table class="overview"><caption>${caption}</caption><thead><tr><th scope="col">Image</th><th scope="col">Result</th>` +
      `${names.join("")}</tr></thead>\n<tbody>\n${body.join("")}</tbody></table>\n${more}`
    );
  };
  return (
    draw(
      others,
      changeColumns(step.dryRun),
      `${counted(others.length, "image")}: ${step.dryRun ? "what would be" : "what was"} written, and what a copy would be`,
    ) + draw(checks, CHECK, `${counted(checks.length, "image")} checked, counts in clusters`)
  );
}

/** The jobs of a plan. */
export function jobsTable({ matrix }: StepResult): string {
  if (!matrix || matrix.include.length === 0) return "";
  const rows = matrix.include.map(({ shard, images }) => {
    const lines = images.split("\n");
    const shown = lines.slice(0, 3).map(code).join("<br>");
    const more = lines.length > 3 ? `<br><span class="quiet">and ${lines.length - 3} more</span>` : "";
    return `<tr><td>${shard}</td><td class="number">${lines.length}</td><td>${shown}${more}</td></tr>\n`;
  });
  return (
    `<h2>Jobs</h2>\n<table class="jobs"><caption>${counted(rows.length, "job")} of the matrix</caption><thead><tr>` +
    `<th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr></thead>\n` +
    `<tbody>\n${rows.join("")}</tbody></table>\n`
  );
}

function row(result: ImageResult, index: number, cells: readonly string[], dryRun: boolean, isTold: boolean): string {
  const { image, failure } = result;
  const renamed = nameNow(result);
  const name = `<bdi dir="ltr">${code(image)}</bdi>`;
  const now = renamed === undefined ? "" : `<span class="now">now <bdi dir="ltr">${code(renamed)}</bdi></span>`;
  // Where nothing else tells of it, the row says why.
  const why = failure && !isTold ? `<span class="now">${text(shortened(failure.message, MAX_WHY, " …"))}</span>` : "";
  return (
    `<tr><td>${isTold ? `<a href="#image-${index}">${name}</a>` : name}${now}${why}</td>` +
    `<td data-name="Result">${status(toneOf(result, dryRun), outcomeText(result, dryRun))}</td>${cells.join("")}</tr>\n`
  );
}

function cell({ name, isNumber }: Column, html: string): string {
  return `<td${isNumber ? ' class="number"' : ""} data-name="${name}">${html}</td>`;
}

function ofChange({ report }: ImageResult, dryRun: boolean, figure: "bytesWritten" | "guestDataBytes"): string {
  return report && !isUnchanged(report, dryRun) ? formatSize(report[figure]) : "";
}

function found(result: ImageResult, count: "corruptions" | "leaks"): string {
  return lastCheck(result)?.[count].toLocaleString("en-US") ?? "";
}
