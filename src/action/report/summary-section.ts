/** One image in the step's summary: what is wrong first, the picture of its file, then its figures. */

import { type ConversionReport, formatSize, hex, PICTURE_LEGEND, pictureText } from "../../index.ts";
import { backText, checksText, clustersText, filesText, stepLines, tookText } from "../results/figures.ts";
import { counted, countsText } from "../results/findings.ts";
import { type ImageResult, nameNow } from "../results/image-result.ts";
import { leaksGivenUpOf, leaksText } from "../results/leaks-given-up.ts";
import { isUnchanged, layoutsOf, outcomeText, toneOf } from "../results/outcome.ts";
import { findingsOf, furtherReasons } from "../results/result-findings.ts";
import { type Content, code, digestCode, type Html, html, isEmpty, joined, onLines } from "./html.ts";

export interface SectionSettings {
  readonly dryRun: boolean;
  /** Of the whole step: the more there are, the less is said of each. */
  readonly imageCount: number;
}

/** Beyond so many images those that went well are folded, and no pictures are drawn. */
const OPEN_SECTIONS = 3;
const MAX_REASONS = 50;
/** No wider than the picture. */
const LEGEND = PICTURE_LEGEND.split(/ {2}(?=▒)/);

/** Empty values are left out. */
type Row = readonly [name: Content, value: Content];

export function imageSection(result: ImageResult, settings: SectionSettings): Html {
  const { image, failure, report } = result;
  const { dryRun, imageCount } = settings;
  const rows = [
    ...failureRows(result),
    ...(report ? reportRows(report, dryRun) : []),
    ...checkRows(result),
    ...ownRows(result),
  ];
  const cells = rows
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => html`<tr><th align="left">${name}</th><td>${value}</td></tr>\n`);
  const figures = cells.length > 0 ? html`<table>\n${cells}</table>\n` : "";
  const body = html`${picture(result, settings)}${figures}${findings(result, imageCount)}`;
  const tone = toneOf(result, dryRun);
  if (failure) return html`<h3>❌ ${code(image)}</h3>\n${body}`;
  if (imageCount <= OPEN_SECTIONS) return html`<h3>${tone === "doubtful" ? "⚠️ " : ""}${code(image)}</h3>\n${body}`;
  return html`<details><summary>${code(image)} ${outcomeText(result, dryRun)}</summary>\n${body}</details>\n`;
}

function picture(result: ImageResult, { imageCount, dryRun }: SectionSettings): Content {
  const layouts = imageCount > OPEN_SECTIONS ? undefined : layoutsOf(result, dryRun);
  return layouts ? html`<pre>${joined([...pictureText(layouts).split("\n"), ...LEGEND], html`\n`)}</pre>\n` : "";
}

function failureRows(result: ImageResult): Row[] {
  if (result.failure === undefined) return [];
  const { message, advice } = result.failure;
  const reasons = furtherReasons(result);
  const more = reasons.length > MAX_REASONS ? [`${reasons.length - MAX_REASONS} more`] : [];
  return [
    ["What is wrong", message],
    ["Further reasons", onLines([...reasons.slice(0, MAX_REASONS), ...more])],
    ["State", advice],
  ];
}

function reportRows(report: ConversionReport, dryRun: boolean): Row[] {
  const { sourceFormat, targetFormat, virtualSize, bytesMoved, bytesWritten, syncs } = report;
  const same: Row[] = [["Format", `${targetFormat}, as it was`]];
  const leaks = leaksGivenUpOf(report);
  const written = dryRun
    ? `at most ${formatSize(bytesWritten)}, about ${counted(syncs, "sync")}`
    : `${formatSize(bytesWritten)}, ${counted(syncs, "sync")}`;
  const changed: Row[] = [
    ["Format", `${sourceFormat} → ${targetFormat}${clustersText(report)}`],
    ["Steps", onLines(stepLines(report))],
    ["Written", `${written}; a copy would be ${formatSize(report.guestDataBytes)}`],
    ["Data moved", bytesMoved === 0 ? "none: all of it stays where it lies" : formatSize(bytesMoved)],
    ["Extra disk space", `at most ${formatSize(report.peakExtraBytes)}`],
    ["File", filesText(report)],
    ["Way back", backText(report, dryRun)],
    ["Left behind", report.dropped.join(", ")],
    ["Leaks given up", leaks ? leaksText(leaks) : ""],
  ];
  return [
    ["Guest", `${formatSize(virtualSize)} (${virtualSize.toLocaleString("en-US")} bytes)`],
    ...(isUnchanged(report, dryRun) ? same : changed),
    ...checksumRows(report),
    ["Check", checksText(report)],
    ["Took", tookText(report)],
    ["Notes", onLines(report.notes)],
  ];
}

function checksumRows({ guestChecksum }: ConversionReport): Row[] {
  if (guestChecksum === null || guestChecksum.before === null) return [];
  const { algorithm, covers, before, after } = guestChecksum;
  const what = covers === "layer" ? `${algorithm}, without the backing file` : algorithm;
  if (after === before) return [["Guest checksum", onLines([digestCode(before), `${what}, before and after`])]];
  return [
    ["Guest checksum before", onLines([digestCode(before), what])],
    ["Guest checksum after", after === null ? "" : digestCode(after)],
  ];
}

function checkRows({ report, check }: ImageResult): Row[] {
  if (!check) return [];
  const { allocatedClusters, totalClusters, fragmentedClusters, compressedClusters, leaksFixed, corruptionsFixed } =
    check;
  const share = totalClusters === 0 ? "" : ` of ${totalClusters.toLocaleString("en-US")}`;
  const fixed = { corruptions: corruptionsFixed, leaks: leaksFixed, checkErrors: 0, warnings: 0 };
  return [
    ["Verdict", `${check.verdict}${check.verdict === "clean" ? "" : `: ${countsText(check)}`}`],
    ["Repaired", corruptionsFixed + leaksFixed === 0 ? "" : countsText(fixed)],
    ["Not repaired", onLines(check.losses)],
    ["Given up", onLines(check.givenUp)],
    [
      "Clusters",
      allocatedClusters === 0
        ? ""
        : `${allocatedClusters.toLocaleString("en-US")}${share} allocated, ${fragmentedClusters.toLocaleString("en-US")} fragmented, ${compressedClusters.toLocaleString("en-US")} compressed`,
    ],
    ["Took", report ? "" : tookText(check)],
    [html`Check's notes`, onLines(check.notes)],
  ];
}

function ownRows(result: ImageResult): Row[] {
  const { recovery, download, notes } = result;
  const newName = nameNow(result);
  const from = download && html`${code(download.url)}<br>${digestCode(download.digest)}, ${formatSize(download.bytes)}`;
  return [
    ["Renamed to", newName === undefined ? "" : code(newName)],
    ["Before that", recovery ?? ""],
    ["From", from ? html`${from}${download.fromCache ? ", out of the cache" : ""}` : ""],
    ["Noted", onLines(notes ?? [])],
  ];
}

/** The worst of them; all are in the JSON report. */
function findings(result: ImageResult, imageCount: number): Content {
  const found = findingsOf(result);
  if (found.length === 0) return "";
  const count = imageCount <= OPEN_SECTIONS ? 20 : imageCount <= 20 ? 10 : 5;
  const rows = found.slice(0, count).map(({ severity, structure, hostOffset, message }) => {
    const place = html`${structure}${hostOffset === undefined ? "" : html` at ${code(hex(hostOffset))}`}`;
    return html`<tr><td>${severity}</td><td>${place}</td><td>${message}</td></tr>\n`;
  });
  const hidden = found.length - count;
  const more =
    hidden > 0
      ? html`<tr><td></td><td colspan="2">${hidden.toLocaleString("en-US")} more; the input report writes them all</td></tr>\n`
      : "";
  const head = html`<tr><th align="left">Finding</th><th align="left">Where</th><th align="left">What</th></tr>\n`;
  return html`<table>\n${head}${rows}${more}</table>\n`;
}
