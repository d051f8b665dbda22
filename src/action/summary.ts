/** The step's summary: what became of all images at one look, then a table for each. */

import { type ConversionReport, formatSize } from "../index.ts";
import type { ImageResult } from "./image-result.ts";
import { escapedHtml, safeLine, shortened } from "./safe-text.ts";
import type { StepResult } from "./step-result.ts";

/** A runner takes 1 MiB for a step; what others add to it has room too. */
const MAX_BYTES = 900 * 1024;
const MAX_TEXT = 4096;
/** Beyond so many images the tables of those that went well are folded. */
const OPEN_SECTIONS = 3;

/** HTML without a blank line, so that no Markdown is looked for in it. */
export function summaryOf({ targetFormat, dryRun, results }: StepResult): string {
  const head = `<h2>${text(headline(results, targetFormat, dryRun))}</h2>\n`;
  const rows = results.map((result) => overviewRow(result, dryRun));
  const sections = results.map((result) => section(result, dryRun, results.length > OPEN_SECTIONS));
  const parts = results.length > 1 ? [head, ...overview(rows, MAX_BYTES / 2)] : [head];
  const used = Buffer.byteLength(parts.join(""));
  return [
    ...parts,
    ...withinBytes(sections, MAX_BYTES - used, (count) => `<p>${count} more images are left out here</p>\n`),
  ].join("");
}

/** Inputs that can't be used, all of them. */
export function mistakesSummary(mistakes: readonly string[]): string {
  const items = mistakes.map((mistake) => `<li>${text(mistake)}</li>\n`);
  const shown = withinBytes(items, MAX_BYTES, (count) => `<li>${count} more</li>\n`);
  return `<h2>Cannot use these inputs</h2>\n<ul>\n${shown.join("")}</ul>\n<p>Nothing was touched.</p>\n`;
}

function headline(results: readonly ImageResult[], targetFormat: string | undefined, dryRun: boolean): string {
  const count = (wanted: (result: ImageResult) => boolean) => results.filter(wanted).length;
  const failed = count(({ failure }) => failure !== undefined);
  const unchanged = count(({ report, failure }) => !failure && isUnchanged(report, dryRun));
  const converted = results.length - failed - unchanged;
  const parts = [
    [converted, `${dryRun ? "would be converted" : "converted"} to ${targetFormat} in place`],
    [unchanged, `already ${targetFormat}`],
    [failed, dryRun ? "would fail" : "failed"],
  ] as const;
  const said = parts.flatMap(([each, what]) => (each > 0 ? [`${imageCount(each)} ${what}`] : []));
  return `${dryRun ? "Dry run: " : ""}${said.join(", ")}`;
}

function overview(rows: readonly string[], maxBytes: number): string[] {
  const head = header(["Image", "Result", "Guest", "Moved", "Written", "Took"]);
  return [
    "<table>\n",
    head,
    ...withinBytes(rows, maxBytes, (count) => `<tr><td colspan="6">${count} more</td></tr>\n`),
    "</table>\n",
  ];
}

function overviewRow({ image, path, report, failure }: ImageResult, dryRun: boolean): string {
  const cells = [
    code(path === image ? image : `${image} → ${path}`),
    text(failure ? `❌ ${failure.kind}` : `✅ ${outcome(report, dryRun)}`),
    ...(report
      ? [
          formatSize(report.virtualSize),
          formatSize(report.bytesMoved),
          formatSize(report.bytesWritten),
          duration(report),
        ]
      : ["", "", "", ""]),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>\n`;
}

function section(result: ImageResult, dryRun: boolean, foldable: boolean): string {
  const { image, failure, report } = result;
  const rows = [
    ...(failure ? failureRows(result) : []),
    ...(report ? reportRows(report, dryRun) : []),
    ...ownRows(result),
  ];
  const cells = rows
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `<tr><th align="left">${name}</th><td>${value}</td></tr>\n`);
  const table = `<table>\n${cells.join("")}</table>\n`;
  if (failure || !foldable) return `<h3>${failure ? "❌ " : ""}${code(image)}</h3>\n${table}`;
  return `<details><summary>${code(image)}</summary>\n${table}</details>\n`;
}

type Row = readonly [name: string, html: string];

function failureRows({ failure }: ImageResult): Row[] {
  if (failure === undefined) return [];
  const { message, reasons, advice } = failure;
  return [
    ["What is wrong", text(message)],
    ["All reasons", reasons.length > 1 ? reasons.slice(0, 100).map(text).join("<br>") : ""],
    ["State", text(advice)],
  ];
}

function ownRows({ image, path, recovery }: ImageResult): Row[] {
  return [
    ["Renamed to", path === image ? "" : code(path)],
    ["Before that", text(recovery ?? "")],
  ];
}

function reportRows(report: ConversionReport, dryRun: boolean): Row[] {
  const { sourceFormat, targetFormat, virtualSize, clusterSize, bytesMoved, bytesWritten, peakExtraBytes, syncs } =
    report;
  const same: Row[] = [["Format", text(`${targetFormat}, as it was`)]];
  const size = `${formatSize(report.fileSizeBefore)} before, ${formatSize(report.fileSizeAfter)} after`;
  const changed: Row[] = [
    ["Format", text(`${sourceFormat} → ${targetFormat}, clusters of ${formatSize(clusterSize)}`)],
    ["Data moved", `${formatSize(bytesMoved)}`],
    ["Written", dryRun ? `at most ${formatSize(bytesWritten)}` : `${formatSize(bytesWritten)}, ${syncs} syncs`],
    ["Extra disk space", `at most ${formatSize(peakExtraBytes)}`],
    ["File", size],
    ["Left behind", text(report.dropped.join(", "))],
  ];
  return [
    ["Guest", `${formatSize(virtualSize)} (${virtualSize} bytes)`],
    ...(isUnchanged(report, dryRun) ? same : changed),
    ...checksumRows(report),
    ["Check", text(checkText(report))],
    ["Took", duration(report)],
    ["Notes", report.notes.map(text).join("<br>")],
  ];
}

function checksumRows({ guestChecksum }: ConversionReport): Row[] {
  if (guestChecksum === null || guestChecksum.before === null) return [];
  const { algorithm, covers, before, after } = guestChecksum;
  const what = covers === "layer" ? `${algorithm}, without the backing file` : algorithm;
  if (after === before) return [["Guest checksum", `${code(before)}<br>${text(what)}, before and after`]];
  return [
    ["Guest checksum before", `${code(before)}<br>${text(what)}`],
    ["Guest checksum after", after === null ? "" : code(after)],
  ];
}

function checkText({ check }: ConversionReport): string {
  const found = (result: { readonly corruptions: number; readonly checkErrors: number; readonly leaks: number }) => {
    const words = [
      [result.corruptions, "corruptions"],
      [result.checkErrors, "errors"],
      [result.leaks, "leaked clusters"],
    ] as const;
    return words.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(", ") || "clean";
  };
  const [before, after] = [check.before && found(check.before), check.after && found(check.after)];
  if (before !== null && before === after) return `${before}, before and after`;
  return [before && `${before} before`, after && `${after} after`].filter((part) => part !== null).join(", ");
}

function isUnchanged(report: ConversionReport | undefined, dryRun: boolean): boolean {
  if (report === undefined || report.changed) return false;
  // A plan that changes something writes something.
  return dryRun ? report.bytesWritten === 0 : true;
}

function outcome(report: ConversionReport | undefined, dryRun: boolean): string {
  if (report === undefined) return "";
  if (isUnchanged(report, dryRun)) return `${report.targetFormat} already`;
  return `${report.sourceFormat} → ${report.targetFormat}`;
}

function duration({ milliseconds }: ConversionReport): string {
  const total = Object.values(milliseconds).reduce((sum, each) => sum + each, 0);
  if (total === 0) return "";
  return total < 1000 ? `${Math.round(total)} ms` : `${(total / 1000).toFixed(1)} s`;
}

function imageCount(count: number): string {
  return count === 1 ? "1 image" : `${count} images`;
}

function header(names: readonly string[]): string {
  return `<tr>${names.map((name) => `<th align="left">${name}</th>`).join("")}</tr>\n`;
}

function text(value: string): string {
  return escapedHtml(shortened(safeLine(value), MAX_TEXT, " …"));
}

/** In code nothing becomes a link or a mention. */
function code(value: string): string {
  return `<code>${text(value)}</code>`;
}

/** As many of `parts` as fit, then how many do not. */
function withinBytes(parts: readonly string[], maxBytes: number, more: (count: number) => string): string[] {
  let used = 0;
  const fits = parts.findIndex((part) => {
    used += Buffer.byteLength(part);
    return used > maxBytes;
  });
  return fits < 0 ? [...parts] : [...parts.slice(0, fits), more(parts.length - fits)];
}
