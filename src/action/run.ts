/** The step: inputs, what can be known beforehand, the work on all images, then everything that is told about it. */

import { getInput, info, setSecret } from "@actions/core";
import { counted } from "../index.ts";
import { workOnAll } from "./all-images.ts";
import { annotateStep } from "./annotations.ts";
import { type Beforehand, lookBeforehand } from "./beforehand.ts";
import { collectReports } from "./collect.ts";
import type { ImageResult } from "./image-result.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { OpenJournals } from "./open-journals.ts";
import { rememberSaves } from "./pending-saves.ts";
import { planMatrix } from "./plan-matrix.ts";
import { giveUpRepairUndos } from "./repair-undos.ts";
import { safeLine } from "./safe-text.ts";
import type { Matrix } from "./step-result.ts";
import { tell, tellMistakes } from "./tell.ts";
import type { Work } from "./work.ts";

/** @returns whether all went well */
export async function runStep(signal: AbortSignal): Promise<boolean> {
  const { inputs, mistakes: wrongInputs } = readInputs((name) => getInput(name));
  maskSecrets(inputs);
  const log = (line: string) => info(safeLine(line));
  const found = await lookBeforehand(inputs, signal, log);
  const mistakes = [...wrongInputs, ...found.mistakes];
  if (mistakes.length > 0) {
    await tellMistakes(mistakes, inputs);
    return false;
  }
  return inputs.mode === "collect"
    ? collectAndTell(inputs, found.reports, signal)
    : workAndTell(inputs, found, signal, log);
}

async function collectAndTell(inputs: Inputs, paths: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { reportCount, ...collected } = await collectReports(paths);
  const hasAll = hasAllReports(inputs, reportCount);
  const isComplete = await tell({ mode: "collect", ...collected }, inputs, signal);
  return isComplete && hasAll && collected.results.every(isGood);
}

async function workAndTell(inputs: Inputs, found: Beforehand, signal: AbortSignal, log: Work["log"]): Promise<boolean> {
  const { downloads } = found;
  const work: Work = { inputs, journals: new OpenJournals(), signal, log };
  const images = await workOnAll(found.images, downloads, work);
  const matrix = inputs.mode === "plan" ? planned(() => planMatrix(images, inputs.shards)) : undefined;
  const results = images.map(({ result }) => result);
  const isGoodSoFar = results.every(isGood) && !signal.aborted && (inputs.mode !== "plan" || matrix !== undefined);
  const isToldAll = await tell(
    {
      mode: inputs.mode,
      targetFormat: inputs.mode === "check" ? undefined : inputs.targetFormat,
      dryRun: inputs.convertOptions.dryRun ?? false,
      results: isGoodSoFar ? results : results.map(toBePutBack(inputs)),
      ...(matrix && { matrix }),
    },
    inputs,
    signal,
  );
  const isGoodTillEnd =
    isGoodSoFar &&
    isToldAll &&
    !signal.aborted &&
    (await giveUpRepairUndos(work.journals, inputs.convertOptions.keepUndo ?? false));
  if (isGoodTillEnd) rememberSaves(downloads?.pendingSaves ?? []);
  else await downloads?.discard();
  return isGoodTillEnd;
}

/** Repairs are undone where the step fails, also that of an image that went well itself. */
function toBePutBack({ mode }: Inputs): (result: ImageResult) => ImageResult {
  return (result) => {
    if (mode !== "check" || result.failure || !result.check?.changed) return result;
    const note = "Repaired, but the step failed: the end of this job puts the image back as it was";
    return { ...result, notes: [...(result.notes ?? []), note] };
  };
}

/** Undefined, and an annotation, where a runner would not take it. */
function planned(make: () => Matrix): Matrix | undefined {
  try {
    return make();
  } catch (error) {
    annotateStep("Cannot make a matrix", error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** In `mode: collect` a number of shards says how many reports there must be: a job that died wrote none. */
function hasAllReports({ shards }: Inputs, reportCount: number): boolean {
  if (shards === "auto" || shards === reportCount) return true;
  annotateStep(
    "Reports are missing",
    `Cannot vouch for all shards: found ${counted(reportCount, "report")} of ${shards}`,
  );
  return false;
}

function isGood({ failure }: ImageResult): boolean {
  return failure === undefined;
}

/** Before anything else could print them. */
function maskSecrets({ acquire: { headers, githubToken } }: Inputs): void {
  for (const value of Object.values(headers)) setSecret(value);
  if (githubToken !== undefined) setSecret(githubToken);
}
