/** Everything that is told about a step: annotations, the report, outputs, the summary. */

import { info, summary } from "@actions/core";
import type { Inputs } from "../inputs/inputs.ts";
import type { StepResult } from "../results/step-result.ts";
import { annotateFailures, annotateMistakes, annotateStep } from "./annotations.ts";
import { writeChecksumList } from "./checksum-list.ts";
import { declareArtifacts } from "./declared-artifacts.ts";
import { warnOfDownloads } from "./download-warnings.ts";
import { warnOfLeaks } from "./leak-warnings.ts";
import { setOutputs } from "./outputs.ts";
import { writePredicate } from "./predicate.ts";
import { writeReport } from "./report-file.ts";
import { safeLine } from "./safe-text.ts";
import { mistakesSummary, summaryOf } from "./summary.ts";

/** Inputs that can't be used: nothing was touched. */
export async function publishMistakes(mistakes: readonly string[], inputs: Inputs): Promise<void> {
  annotateMistakes(mistakes);
  setOutputs({ results: [] });
  if (inputs.summary !== "never") await addToSummary(() => mistakesSummary(mistakes));
}

/** @returns false where something could not be told */
export async function publishResults(step: StepResult, inputs: Inputs, signal: AbortSignal): Promise<boolean> {
  const { results } = step;
  const isFailed = results.some(({ failure }) => failure !== undefined);
  annotateFailures(results);
  if (step.mode !== "collect") {
    warnOfLeaks(results, step.dryRun);
    warnOfDownloads(results);
  }
  let isComplete = true;
  const attempt = async <T>(title: string, perform: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await perform();
    } catch (error) {
      annotateStep(title, error instanceof Error ? error.message : String(error));
      isComplete = false;
      return undefined;
    }
  };
  const report = await attempt("Cannot write the report", async () => {
    if (inputs.report !== undefined) await writeReport(inputs.report, step);
    return inputs.report?.named;
  });
  // Nobody is to vouch for the files of a step that failed: a repair of theirs is taken back. Nor of none: what is signed
  // has a subject.
  const isVouchedFor =
    results.length > 0 && isComplete && !isFailed && !signal.aborted && !step.dryRun && step.mode !== "collect";
  const sha256sums = await attempt("Cannot write the list of checksums", async () => {
    if (inputs.sha256sums === undefined || !isVouchedFor) return undefined;
    await writeChecksumList(inputs.sha256sums, results);
    return inputs.sha256sums;
  });
  const predicate = await attempt("Cannot write the predicate", async () => {
    if (inputs.predicate === undefined || !isVouchedFor) return undefined;
    await writePredicate(inputs.predicate, step);
    return inputs.predicate;
  });
  if (isVouchedFor && step.mode === "convert") {
    for (const sentence of await declareArtifacts(results, process.env)) info(safeLine(sentence));
  }
  setOutputs({ results, matrix: step.matrix, report, sha256sums, predicate });
  const isWanted = inputs.summary === "always" || (inputs.summary === "on-failure" && isFailed);
  if (isWanted) await addToSummary(() => summaryOf(step));
  return isComplete;
}

/** A missing summary fails nothing: old servers have none. */
async function addToSummary(html: () => string): Promise<void> {
  try {
    await summary.addRaw(html()).write();
  } catch (error) {
    info(`Cannot write the summary: ${error instanceof Error ? error.message : error}`);
  }
}
