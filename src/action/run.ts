/** The step: inputs, what can be known beforehand, the work on all images, then everything that is told about it. */

import { getInput, info, setSecret } from "@actions/core";
import { collectReports } from "./fleet/collect.ts";
import { localImages, planMatrix } from "./fleet/plan-matrix.ts";
import { judgeShards } from "./fleet/shards.ts";
import { workOnAll } from "./images/all-images.ts";
import { withFileDigests } from "./images/file-digests.ts";
import { OpenJournals } from "./images/open-journals.ts";
import { type Preflight, preflight } from "./images/preflight.ts";
import type { Work } from "./images/work.ts";
import { type Inputs, readInputs } from "./inputs/inputs.ts";
import { withLeftOverlays } from "./left-overlays.ts";
import { rememberSaves } from "./pending-saves.ts";
import { giveUpRepairUndos, withUndoOfRepair } from "./repair-undos.ts";
import { annotateStep } from "./report/annotations.ts";
import { warnOfLocalImages } from "./report/local-images-warning.ts";
import { publishMistakes, publishResults } from "./report/publish.ts";
import { safeLine } from "./report/safe-text.ts";
import { warnOfUnmatched } from "./report/unmatched-warning.ts";
import type { ImageResult } from "./results/image-result.ts";
import { provenanceOf } from "./results/provenance.ts";
import type { Matrix } from "./results/step-result.ts";

/**
 * @param clock tells the time
 * @returns whether all went well
 */
export async function runStep(signal: AbortSignal, clock: () => Date = () => new Date()): Promise<boolean> {
  const { inputs, mistakes: wrongInputs } = readInputs((name) => getInput(name));
  maskSecrets(inputs);
  const log = (line: string) => info(safeLine(line));
  const found = await preflight(inputs, signal);
  const mistakes = [...wrongInputs, ...found.mistakes];
  if (mistakes.length > 0) {
    await publishMistakes(mistakes, inputs);
    return false;
  }
  if (inputs.ifNoImages === "warn") warnOfUnmatched(found.unmatched);
  else for (const sentence of found.unmatched) log(sentence);
  return inputs.mode === "collect"
    ? collectAndPublish(inputs, found.reports, signal, clock)
    : workAndPublish(inputs, found, signal, log, clock);
}

async function collectAndPublish(
  inputs: Inputs,
  paths: readonly string[],
  signal: AbortSignal,
  clock: () => Date,
): Promise<boolean> {
  const { reports, results: ofReports, ...collected } = await collectReports(paths);
  const shards = judgeShards(reports, inputs.shards);
  // What is missing comes first: it is what the other figures lack.
  const results = [...shards.results, ...ofReports];
  const provenance = provenanceOf(process.env, clock());
  const step = { mode: "collect", ...collected, results, provenance, missingShards: shards.missing } as const;
  const isComplete = await publishResults(step, inputs, signal);
  return isComplete && results.every(isGood);
}

async function workAndPublish(
  inputs: Inputs,
  found: Preflight,
  signal: AbortSignal,
  log: Work["log"],
  clock: () => Date,
): Promise<boolean> {
  const { downloads } = found;
  const work: Work = { inputs, journals: new OpenJournals(), signal, log };
  const images = await workOnAll(found.images, downloads, work);
  const matrix = inputs.mode === "plan" ? planned(() => planMatrix(images, inputs.shards)) : undefined;
  if (matrix) warnOfLocalImages(localImages(images));
  const digested = await withFileDigests(
    images.map(({ result }) => result),
    work,
  );
  const results = await withLeftOverlays(digested, inputs);
  const isGoodSoFar = results.every(isGood) && !signal.aborted && (inputs.mode !== "plan" || matrix !== undefined);
  const isPublished = await publishResults(
    {
      mode: inputs.mode,
      targetFormat: inputs.mode === "check" ? undefined : inputs.targetFormat,
      dryRun: inputs.convertOptions.dryRun ?? false,
      provenance: provenanceOf(process.env, clock()),
      results: await Promise.all(results.map((result) => withUndoOfRepair(result, inputs, isGoodSoFar))),
      ...(matrix && { matrix }),
      ...(inputs.shard && { shard: inputs.shard }),
    },
    inputs,
    signal,
  );
  const isGoodTillEnd =
    isGoodSoFar &&
    isPublished &&
    !signal.aborted &&
    (await giveUpRepairUndos(work.journals, inputs.convertOptions.keepUndo ?? false));
  if (isGoodTillEnd) rememberSaves(downloads?.pendingSaves ?? []);
  else await downloads?.discard();
  return isGoodTillEnd;
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

function isGood({ failure }: ImageResult): boolean {
  return failure === undefined;
}

/** Before anything else could print them. */
function maskSecrets({ acquire: { headers, githubToken } }: Inputs): void {
  for (const value of Object.values(headers)) setSecret(value);
  if (githubToken !== undefined) setSecret(githubToken);
}
