/** A conversion's report for people. */

import { type ConversionReport, changeTexts, counted, fileText, formatSize, stepTexts } from "../doors.ts";
import { afterwards } from "./next-steps.ts";

/** Several lines, each with its line break. `keepsUndo`: a way back was asked for, and is told elsewhere. */
export function conversionText(
  report: ConversionReport,
  asked: "convert" | "compact" = "convert",
  keepsUndo = false,
): string {
  const { image, sourceFormat, targetFormat, path } = report;
  if (!report.changed) {
    const isRight = asked === "convert" ? `is ${targetFormat} already` : "is compact already";
    return `${image} ${report.rolledBack ? "was put back" : `${isRight}: nothing to do`}\n`;
  }
  const steps = path.length > 1 ? stepTexts(path) : [];
  const rows = [
    ...steps.map((text, at) => [at === 0 ? "steps" : "", `${at + 1} ${text}`] as const),
    ["guest", guestText(report)],
    ...changeTexts(report.guestChanges).map((text, at) => [at === 0 ? "changed" : "", text] as const),
    ["data moved", formatSize(report.bytesMoved)],
    ["written", `${writtenText(report)}, ${counted(report.syncs, "sync")}`],
    ["file", filesText(report)],
    ["image", report.imageAfter === undefined ? "" : `${report.imageAfter} from now on`],
    ["check", checkText(report)],
    ["left behind", report.dropped.join(", ")],
    ["took", durationText(report)],
    ...afterwards(report, keepsUndo),
  ] as const;
  const isSame = sourceFormat === targetFormat && path.every(({ step }) => step === "rearrange");
  const isChanged = path.some((step) => step.step === "rearrange" && step.goal === "relocate");
  const what = isSame
    ? `${targetFormat} ${isChanged ? "changed as asked" : "compacted"}`
    : `${sourceFormat} is now ${targetFormat}`;
  return `${image}: ${what}, in place\n${rowLines(rows)}`;
}

/** A line for each that says something, in a column behind their names. */
export function rowLines(rows: readonly (readonly [string, string])[]): string {
  return rows
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `  ${name.padEnd(12)}${text}\n`)
    .join("");
}

function filesText({ fileSizeBefore, fileSizeAfter, actualSizeBefore, actualSizeAfter }: ConversionReport): string {
  return `${fileText(fileSizeBefore, actualSizeBefore)} before; ${fileText(fileSizeAfter, actualSizeAfter)} after`;
}

function guestText({ virtualSize, guestChecksum, guestChanges }: ConversionReport): string {
  const size = formatSize(virtualSize);
  if (guestChecksum === null || guestChecksum.before === null) return size;
  const { algorithm, covers, before, after } = guestChecksum;
  const layer = covers === "layer" ? ", without its backing file" : "";
  // One that is not as planned never gets here: another one is that of a disk which was changed.
  const grown = `before, ${after} after: the disk has ${guestChanges ? "changed, as asked" : "grown"}`;
  const proof = after === null ? "before" : before === after ? "before and after" : grown;
  return `${size}${layer}; ${algorithm} ${before} ${proof}`;
}

function writtenText({ bytesWritten, bytesSettled, fileSizeBefore }: ConversionReport): string {
  const settled = bytesSettled > 0 ? `, ${formatSize(bytesSettled)} of it to settle` : "";
  return `${formatSize(bytesWritten)} (${ratioText(bytesWritten, fileSizeBefore)} the file)${settled}`;
}

function checkText({ check }: ConversionReport): string {
  const parts = [
    ["before", check.before],
    ["after", check.after],
  ] as const;
  return parts.flatMap(([when, result]) => (result === null ? [] : [`${foundText(result)} ${when}`])).join(", ");
}

function foundText(result: { readonly corruptions: number; readonly leaks: number }): string {
  if (result.corruptions > 0) return counted(result.corruptions, "corruption");
  return result.leaks > 0 ? counted(result.leaks, "leak") : "clean";
}

function durationText({ milliseconds }: ConversionReport): string {
  return formatMilliseconds(Object.values(milliseconds).reduce((sum, each) => sum + each, 0));
}

export function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** `0.04 % of`, or `23 times` where a part is larger than the whole: to be followed by the whole's name. */
export function ratioText(part: number, whole: number): string {
  if (whole === 0) return "0 % of";
  // What rounds to the whole is no multiple of it.
  if (part / whole >= 1.5) return `${Number((part / whole).toPrecision(2))} times`;
  return `${Number(((100 * part) / whole).toPrecision(2))} % of`;
}
