/** One image on the page: how it went, the picture of its file, its figures, what its check found. */

import { type ConversionReport, changeTexts, formatSize, hex, type LayoutKind } from "../../../index.ts";
import { backText, checksText, clustersText, filesText, stepLines, tookText } from "../../results/figures.ts";
import { counted, countsText } from "../../results/findings.ts";
import { type ImageResult, nameNow } from "../../results/image-result.ts";
import { leaksGivenUpOf, leaksText } from "../../results/leaks-given-up.ts";
import { isUnchanged, layoutsOf, outcomeText, toneOf } from "../../results/outcome.ts";
import { findingsOf, furtherReasons } from "../../results/result-findings.ts";
import { type Content, code, type Html, html, isEmpty, joined, onLines } from "../html.ts";
import { KIND_NAMES, type Moved, type Picture, pictureSvg, swatch, whatMoved } from "./picture.ts";
import { status } from "./status.ts";

export interface SectionSettings {
  readonly index: number;
  readonly dryRun: boolean;
  /** Findings that are listed at most. */
  readonly maxFindings: number;
}

/** So many findings are open; the others unfold. */
const OPEN_FINDINGS = 10;
const MAX_REASONS = 50;

export function imageSection(result: ImageResult, settings: SectionSettings): Html {
  const { index, dryRun } = settings;
  const { image, report, check } = result;
  const renamed = nameNow(result);
  const id = `image-${index}`;
  const changes = report && !isUnchanged(report, dryRun);
  const what = [
    changes ? `${report.sourceFormat} → ${report.targetFormat}, ${dryRun ? "as planned" : "in place"}` : "",
    !changes && report ? `${report.targetFormat}, as it was` : "",
    !report && check ? check.format : "",
  ].filter((part) => part !== "");
  const now = renamed === undefined ? "" : html`now <bdi dir="ltr">${code(renamed)}</bdi>`;
  const line = joined(
    [...what, now].filter((part) => part !== ""),
    html` · `,
  );
  const picture = pictureOf(result, dryRun);
  const below = html`${picture ? legend(picture) : ""}${factsOf(result, dryRun)}`;
  return html`${[
    html`<article id="${id}" aria-labelledby="${id}-name">\n<header><h3 id="${id}-name"><bdi dir="ltr">${code(image)}</bdi></h3>`,
    html`<p>${status(toneOf(result, dryRun), outcomeText(result, dryRun))}</p></header>\n`,
    line.isEmpty ? "" : html`<p class="what">${line}</p>\n`,
    wrong(result),
    picture ? figure(picture, result, id, dryRun) : "",
    below.isEmpty ? "" : html`<div class="below${picture ? "" : " alone"}">\n${below}</div>\n`,
    findings(result, settings),
  ]}</article>\n`;
}

function wrong(result: ImageResult): Content {
  if (!result.failure) return "";
  const { message, advice } = result.failure;
  const reasons = furtherReasons(result);
  const items = reasons.slice(0, MAX_REASONS).map((reason) => html`<li>${reason}</li>`);
  const more = reasons.length > MAX_REASONS ? html`<li>${reasons.length - MAX_REASONS} more</li>` : "";
  const list = items.length > 0 ? html`<ul>${items}${more}</ul>` : "";
  return html`<div class="wrong"><p>${message}</p>${list}${advice === "" ? "" : html`<p>${advice}</p>`}</div>\n`;
}

function pictureOf(result: ImageResult, dryRun: boolean): Picture | undefined {
  const { report } = result;
  const layouts = layoutsOf(result, dryRun);
  return layouts && { ...layouts, moved: report === undefined ? "some" : movedBy(report) };
}

function movedBy({ bytesMoved, bytesSettled, guestDataBytes }: ConversionReport): Moved {
  if (bytesMoved + bytesSettled === 0) return "none";
  return bytesMoved >= guestDataBytes ? "all" : "some";
}

function figure(picture: Picture, { image, report, check }: ImageResult, id: string, dryRun: boolean): Html {
  const { before, after } = picture;
  const label = (word: string, format: string, size: number) =>
    html`<div class="label"><span><b>${word}</b> ${format}</span><span>${formatSize(size)}</span></div>\n`;
  const [first, second] = [after ? "Before" : "Now", dryRun ? "As planned" : "After"];
  const format = report?.sourceFormat ?? check?.format ?? "";
  const below =
    report && after
      ? html`${label(second, report.targetFormat, after.fileSize)}<figcaption>${caption(report, dryRun)}</figcaption>`
      : "";
  return html`<figure>\n${label(first, format, before.fileSize)}${pictureSvg(picture, id, image)}\n${below}</figure>\n`;
}

function caption(
  { guestDataBytes, bytesMoved, bytesWritten, bytesSettled }: ConversionReport,
  dryRun: boolean,
): string {
  const [stay, were] = dryRun ? ["would stay where it lies", "would be"] : ["stayed where it was", "were"];
  const rest = Math.max(0, guestDataBytes - bytesMoved);
  const data =
    bytesMoved === 0 && bytesSettled === 0
      ? `All ${formatSize(guestDataBytes)} of guest data ${stay}`
      : bytesMoved === 0
        ? `Guest data ${stay}, but for what filled holes as the old format's space was given back`
        : `${formatSize(rest)} of guest data ${stay}, ${formatSize(bytesMoved)} moved`;
  return `${data}. ${formatSize(bytesWritten)} ${were} written in all.`;
}

/** The legend with the figures: what the picture shows, in bytes. */
function legend(picture: Picture): Html {
  const { before, after } = picture;
  const size = (bytes: number) => html`<td class="number">${bytes === 0 ? "–" : formatSize(bytes)}</td>`;
  const kinds = (Object.keys(KIND_NAMES) as LayoutKind[]).filter(
    (kind) => before.bytes[kind] + (after?.bytes[kind] ?? 0) > 0,
  );
  const rows = kinds.map(
    (kind) =>
      html`<tr><th scope="row">${swatch(kind)}${KIND_NAMES[kind]}</th>${size(before.bytes[kind])}${after ? size(after.bytes[kind]) : ""}</tr>\n`,
  );
  const moved = after
    ? whatMoved(before, after, picture.moved).moved.reduce((sum, { start, end }) => sum + end - start, 0)
    : 0;
  const movedRow =
    moved > 0 ? html`<tr><th scope="row">${swatch("moved")}Of it moved here</th><td></td>${size(moved)}</tr>\n` : "";
  const heads = [after ? "Before" : "Size", ...(after ? ["After"] : [])];
  const head = html`<th scope="col">Space in the file</th>${heads.map((name) => html`<th scope="col" class="number">${name}</th>`)}`;
  return html`<table class="legend"><thead><tr>${head}</tr></thead>\n<tbody>\n${rows}${movedRow}</tbody></table>\n`;
}

/** Empty values are left out. */
type Fact = readonly [name: Content, value: Content];

function factsOf(result: ImageResult, dryRun: boolean): Content {
  const { report, check, recovery, download, notes } = result;
  const facts: Fact[] = [
    ...(report ? reportFacts(report, dryRun) : []),
    ...(check ? checkFacts(check) : []),
    ["Before that", recovery ?? ""],
    ["From", download ? onLines([code(download.url), code(download.digest)]) : ""],
    ["Noted", onLines([...(report?.notes ?? []), ...(notes ?? [])])],
  ];
  const shown = facts
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`);
  return shown.length === 0 ? "" : html`<dl class="facts">\n${shown}</dl>\n`;
}

function reportFacts(report: ConversionReport, dryRun: boolean): Fact[] {
  const { guestChecksum, bytesWritten, guestDataBytes, syncs, virtualSize } = report;
  const digest = guestChecksum?.before ?? null;
  const leaks = leaksGivenUpOf(report);
  const after = guestChecksum?.after ?? null;
  const covers = guestChecksum?.covers === "layer" ? ", without the backing file" : "";
  const same = after === digest ? ", the same before and after" : "";
  const change: Fact[] = isUnchanged(report, dryRun)
    ? []
    : [
        ["Steps", onLines(stepLines(report))],
        ["Way back", backText(report, dryRun)],
        [
          "Written",
          `${dryRun ? "at most " : ""}${formatSize(bytesWritten)} in ${dryRun ? "about " : ""}${counted(syncs, "sync")}`,
        ],
        ["A copy would be", formatSize(guestDataBytes)],
        ["File", report.actualSizeBefore === undefined ? "" : filesText(report)],
        ["Extra disk space", `at most ${formatSize(report.peakExtraBytes)}`],
        ["Guest changed", onLines(changeTexts(report.guestChanges))],
        ["Left behind", report.dropped.join(", ")],
        ["Leaks given up", leaks ? leaksText(leaks) : ""],
      ];
  return [
    [html`Guest's disk`, `${formatSize(virtualSize)}${clustersText(report)}`],
    ...change,
    ["Check", checksText(report)],
    ["Took", tookText(report)],
    ["Guest checksum", digest === null ? "" : onLines([code(digest), `${guestChecksum?.algorithm}${covers}${same}`])],
    ["Checksum after", after === null || after === digest ? "" : code(after)],
  ];
}

function checkFacts(check: NonNullable<ImageResult["check"]>): Fact[] {
  const { allocatedClusters, totalClusters, fragmentedClusters, compressedClusters, leaksFixed, corruptionsFixed } =
    check;
  const number = (count: number) => count.toLocaleString("en-US");
  const fixed = { corruptions: corruptionsFixed, leaks: leaksFixed, checkErrors: 0, warnings: 0 };
  const clusters = `${number(allocatedClusters)} of ${number(totalClusters)} allocated, ${number(fragmentedClusters)} fragmented, ${number(compressedClusters)} compressed`;
  return [
    ["Repaired", leaksFixed + corruptionsFixed === 0 ? "" : countsText(fixed)],
    ["Not repaired", onLines(check.losses)],
    ["Given up", onLines(check.givenUp)],
    ["Clusters", allocatedClusters === 0 || totalClusters === 0 ? "" : clusters],
    ["Written", check.changed ? `${formatSize(check.bytesWritten)} in ${counted(check.syncs, "sync")}` : ""],
    ["Took", tookText(check)],
    [html`Check's notes`, onLines(check.notes)],
  ];
}

function findings(result: ImageResult, { maxFindings }: SectionSettings): Content {
  const found = findingsOf(result);
  if (found.length === 0) return "";
  const rows = found.slice(0, maxFindings).map(({ severity, structure, hostOffset, message }) => {
    const place = html`${structure}${hostOffset === undefined ? "" : html` at ${code(hex(hostOffset))}`}`;
    return html`<tr><td>${severity}</td><td>${place}</td><td>${message}</td></tr>\n`;
  });
  const head = html`<thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What</th></tr></thead>`;
  const table = (part: readonly Html[]) => html`<table class="findings">${head}\n<tbody>\n${part}</tbody></table>\n`;
  const folded = rows.slice(OPEN_FINDINGS);
  const hidden = found.length - rows.length;
  const more = hidden > 0 ? html`<p class="quiet">${hidden.toLocaleString("en-US")} more in the JSON report</p>\n` : "";
  const rest =
    folded.length > 0
      ? html`<details><summary>${counted(folded.length, "more finding")}</summary>${table(folded)}</details>\n`
      : "";
  return html`<h4>What the check found, the worst first</h4>\n${table(rows.slice(0, OPEN_FINDINGS))}${rest}${more}`;
}
