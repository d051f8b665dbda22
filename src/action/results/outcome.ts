/** What became of each image, in one word for tables, and of all images, in one sentence for headlines. */

import type { ConversionReport, Layouts, Verdict } from "../../index.ts";
import { counted, countsText } from "./findings.ts";
import { type ImageResult, lastCheck } from "./image-result.ts";
import { countsOfFailure } from "./result-findings.ts";
import type { StepResult } from "./step-result.ts";

export type Outcome =
  | Verdict
  | "converted"
  | "unchanged"
  | "repaired"
  | "failed"
  /** A shard of which nothing is known. */
  | "unreported"
  /** An image that only the job that fetches it can look at. */
  | "unseen";

/** How bad it is; never told by a colour alone. */
export type Tone = "good" | "doubtful" | "bad" | "open";

const TONES: Readonly<Record<Outcome, Tone>> = {
  converted: "good",
  unchanged: "good",
  clean: "good",
  repaired: "good",
  leaks: "doubtful",
  corrupt: "doubtful",
  unsupported: "doubtful",
  failed: "bad",
  unreported: "bad",
  unseen: "open",
};

export function outcomeOf({ report, check, failure }: ImageResult, dryRun: boolean): Outcome {
  if (failure) return failure.kind === "report" ? "unreported" : "failed";
  if (report) return isUnchanged(report, dryRun) ? "unchanged" : "converted";
  if (check) return check.verdict === "clean" && check.changed ? "repaired" : check.verdict;
  return "unseen";
}

export function toneOf(result: ImageResult, dryRun: boolean): Tone {
  return TONES[outcomeOf(result, dryRun)];
}

/** For a table: `qed → qcow2`, `2 corruptions`, `failed: in-use`. */
export function outcomeText(result: ImageResult, dryRun: boolean): string {
  const { report, check, failure } = result;
  const outcome = outcomeOf(result, dryRun);
  const counts = check ? countsText(check) : "clean";
  if (outcome === "unreported") return "no report";
  if (failure) return countsOfFailure(result) ?? `failed: ${failure.kind}`;
  if (outcome === "converted") return `${report?.sourceFormat} → ${report?.targetFormat}`;
  if (outcome === "unchanged") return `${report?.targetFormat} already`;
  if (outcome === "unsupported") return `no check for ${check?.format}`;
  if (outcome === "unseen") return "not looked at yet";
  return outcome === "repaired" ? "repaired" : counts;
}

/** Whether the step looked at an image to check it, and did not convert it. */
export function isOnlyChecked(result: ImageResult, { mode }: StepResult): boolean {
  if (mode !== "collect") return mode === "check";
  // A conversion that failed may have been checked too.
  const { failure } = result;
  const isOfCheck = failure === undefined || "failOn" in failure.details || "fail-on" in failure.details;
  return result.report === undefined && lastCheck(result) !== undefined && isOfCheck;
}

/** One sentence over all images, without its full stop. */
export function headlineOf(step: StepResult): string {
  const { mode, results, dryRun, matrix } = step;
  const count = (outcome: Outcome) => results.filter((result) => outcomeOf(result, dryRun) === outcome).length;
  const target = step.targetFormat === undefined ? "" : ` to ${step.targetFormat}`;
  const already = step.targetFormat === undefined ? "already as asked" : `already ${step.targetFormat}`;
  const phrases: readonly (readonly [Outcome, string])[] = [
    ["converted", `${dryRun ? "would be converted" : "converted"}${target} in place`],
    ["unchanged", already],
    ["clean", "clean"],
    ["repaired", "repaired"],
    ["leaks", "with leaked clusters"],
    ["corrupt", "corrupt"],
    ["unsupported", "of formats without a check"],
    ["unseen", "not looked at yet"],
    ["failed", dryRun ? "would fail" : "failed"],
    ["unreported", "missing or unreadable"],
  ];
  const parts = phrases.flatMap(([outcome, what]) => {
    const found = count(outcome);
    const noun = outcome === "unreported" ? "report" : "image";
    return found > 0 ? [`${mode === "check" ? found : counted(found, noun)} ${what}`] : [];
  });
  const said = parts.join(", ") || "No images";
  if (mode === "check" && results.length === 1) return `1 image checked: ${said.replace("1 ", "")}`;
  if (mode === "check") return `${counted(results.length, "image")} checked: ${said}`;
  if (mode === "plan") return `Plan: ${said}${matrix ? `, in ${counted(matrix.include.length, "job")}` : ""}`;
  return `${dryRun ? "Dry run: " : ""}${said}`;
}

/** What there is to draw; one picture tells all where nothing changed, or nothing is known of what will be. */
export function layoutsOf({ report, check }: ImageResult, dryRun: boolean): Layouts | undefined {
  if (!report) return check?.layout && { before: check.layout, after: null };
  return report.layout && isUnchanged(report, dryRun) ? { ...report.layout, after: null } : report.layout;
}

export function isUnchanged(report: ConversionReport, dryRun: boolean): boolean {
  // A plan that changes something writes something.
  return !report.changed && (!dryRun || report.bytesWritten === 0);
}
