/** What conversions wrote against what a copy would have written, how long they took, what their checks and digests say. */

import {
  type CheckResult,
  type ConversionReport,
  fileText,
  formatSize,
  hasClusters,
  stepTexts,
  wayBackText,
} from "../../index.ts";
import { countsText } from "./findings.ts";
import { isUnchanged } from "./outcome.ts";
import type { StepResult } from "./step-result.ts";

/** Sums over the images that were, or would be, converted. In bytes. */
export interface Totals {
  readonly count: number;
  readonly written: number;
  readonly moved: number;
  /** What is stored of the guests: a copy would write it, and need as much room. */
  readonly copied: number;
  /** The most disk space beyond its own that any one image took at any time, or in a plan would take. */
  readonly extra: number;
}

export function totalsOf({ results, dryRun }: StepResult): Totals {
  const reports = results.flatMap(({ report }) => (report && !isUnchanged(report, dryRun) ? [report] : []));
  const sum = (of: (report: ConversionReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  return {
    count: reports.length,
    written: sum(({ bytesWritten }) => bytesWritten),
    moved: sum(({ bytesMoved }) => bytesMoved),
    copied: sum(({ guestDataBytes }) => guestDataBytes),
    extra: reports.reduce((most, { peakExtraBytes }) => Math.max(most, peakExtraBytes), 0),
  };
}

/** One sentence, without its full stop; empty where a copy would have been no worse. */
export function savingText({ count, written, copied, extra }: Totals, dryRun: boolean): string {
  if (copied <= written) return "";
  const much = `${dryRun ? "At most " : ""}${formatSize(written)} ${dryRun ? "to write" : "written"}`;
  return `${much} where a copy writes ${formatSize(copied)}, with at most ${formatSize(extra)} of extra disk${count === 1 ? "" : " an image"}`;
}

/** Of all stages; empty where nothing was measured. */
export function tookText({ milliseconds }: Pick<ConversionReport, "milliseconds">): string {
  const total = Object.values(milliseconds).reduce((sum, each) => sum + each, 0);
  if (total === 0) return "";
  return total < 1000 ? `${Math.round(total)} ms` : `${(total / 1000).toFixed(1)} s`;
}

/** `clean, before and after`; empty where none was made. */
export function checksText({ check }: ConversionReport): string {
  const found = (result: CheckResult | null) => (result ? countsText(result) : null);
  const [before, after] = [found(check.before), found(check.after)];
  if (before !== null && before === after) return `${before}, before and after`;
  return [before && `${before} before`, after && `${after} after`].filter((part) => part !== null).join(", ");
}

/** The same in short: `clean`, or `7 leaked clusters → clean`. */
export function checksChange({ check }: ConversionReport): string {
  const found = [check.before, check.after].flatMap((result) => (result ? [countsText(result)] : []));
  return [...new Set(found)].join(" → ");
}

/** One sentence where every guest that was converted was read before and after; empty else. */
export function proofText({ results, dryRun }: StepResult): string {
  const changed = results.flatMap(({ report }) => (report && !isUnchanged(report, dryRun) ? [report] : []));
  const isProven = changed.every(({ guestChecksum: sum }) => sum && sum.before !== null && sum.before === sum.after);
  if (dryRun || changed.length === 0 || !isProven) return "";
  return changed.length === 1
    ? "The guest was read before and after: its checksum is the same"
    : "Every converted guest was read before and after: its checksum is the same";
}

/** `same` where the guest was read before and after and is proven; another one that is as planned is that of a disk which was changed. */
export function checksumText({ guestChecksum, guestChanges }: ConversionReport): string {
  if (!guestChecksum || guestChecksum.before === null) return "";
  const { before, after, covers } = guestChecksum;
  const what =
    after === null ? "before" : before === after ? "same" : guestChanges ? "of the changed disk" : "of the grown disk";
  return covers === "layer" ? `${what}, this layer` : what;
}

/** Each step with its number; none where there is but one, of which all else tells. */
export function stepLines({ path }: ConversionReport): readonly string[] {
  return path.length > 1 ? stepTexts(path).map((text, at) => `${at + 1} ${text}`) : [];
}

/** `, clusters of 64 KiB`; empty where the target has none. */
export function clustersText({ targetFormat, clusterSize }: ConversionReport): string {
  return hasClusters(targetFormat) ? `, clusters of ${formatSize(clusterSize)}` : "";
}

/** The file's length before and after, with what it takes on the disk where it has holes. */
export function filesText(report: ConversionReport): string {
  const { fileSizeBefore, fileSizeAfter, actualSizeBefore, actualSizeAfter } = report;
  return `${fileText(fileSizeBefore, actualSizeBefore)} before; ${fileText(fileSizeAfter, actualSizeAfter)} after`;
}

/** What an interruption could be led back to; empty of what is done. */
export function backText({ path, sourceFormat }: ConversionReport, dryRun: boolean): string {
  return dryRun && path.length > 0 ? wayBackText(path, sourceFormat) : "";
}
