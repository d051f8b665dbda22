/** One line of the log for each image, which outlives its report: what became of it, with the proof. */

import type { CheckReport, ConversionReport } from "../../index.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { tookText } from "../results/figures.ts";
import { countsText } from "../results/findings.ts";
import { type ImageResult, nameNow } from "../results/image-result.ts";
import { isUnchanged } from "../results/outcome.ts";

/** `disk.qed: qed is now qcow2, now disk.qcow2; guest sha256 HEX before and after; 1720320 bytes written; 0.8 s`. */
export function resultLine(result: ImageResult, { convertOptions, mode }: Inputs): string {
  const { image, report, check, failure } = result;
  if (failure) return `${image}: failed: ${failure.message}`;
  const now = nameNow(result);
  const name = now === undefined ? "" : `, now ${now}`;
  if (mode === "check" && check)
    return line(`${image}: ${checkText(check)}${name}`, writtenText(check), tookText(check));
  if (report === undefined) return `${image}: planned, its work is known only then`;
  const { dryRun = false } = convertOptions;
  if (isUnchanged(report, dryRun)) return line(`${image}: nothing to do${name}`, guestText(report), tookText(report));
  const what = `${report.sourceFormat} ${dryRun ? "would become" : "is now"} ${report.targetFormat}`;
  const written = `${report.bytesWritten} bytes ${dryRun ? "to write" : "written"}`;
  return line(`${image}: ${what}${name}`, guestText(report), written, tookText(report));
}

function line(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("; ");
}

function checkText(check: CheckReport): string {
  const counts = countsText(check);
  const found = counts === "clean" ? check.verdict : `${check.verdict}, ${counts}`;
  return check.changed ? `${found}, repaired` : found;
}

function writtenText({ changed, bytesWritten }: CheckReport): string {
  return changed ? `${bytesWritten} bytes written` : "";
}

/** Empty where nothing of it was read. */
function guestText({ guestChecksum }: ConversionReport): string {
  if (!guestChecksum || guestChecksum.before === null) return "";
  const { algorithm, covers, before, after } = guestChecksum;
  const what = `${covers === "layer" ? "guest of this layer" : "guest"} ${algorithm}`;
  if (after === null) return `${what} ${before} before`;
  return before === after
    ? `${what} ${before} before and after`
    : `${what} ${before} before, ${after} after, as planned`;
}
