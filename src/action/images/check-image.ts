/** One image checked, and repaired where asked: the undo of a repair stands until the step has ended well. */

import { type CheckOptions, type CheckReport, check, command, ImageError } from "../../index.ts";
import { failureOf, type ImageResult } from "../results/image-result.ts";
import { checkFailure } from "./check-failure.ts";
import { recoverFirst } from "./recover-first.ts";
import { type ImageToDo, progressLines, refuseCancelled, type Work } from "./work.ts";

/** Never throws: what is wrong with one image must not keep the others from being tried. */
export async function checkImage({ path, refusal, isDrawn }: ImageToDo, work: Work): Promise<ImageResult> {
  const nothing = { image: path, path, report: undefined, failure: undefined, recovery: undefined };
  let recovery: string | undefined;
  try {
    if (refusal) throw refusal;
    const repair = work.inputs.convertOptions.dryRun ? "none" : work.inputs.repair;
    recovery = await recoverFirst(path, work, repair !== "none");
    const report = await checkKeepingUndo(path, repair, work, isDrawn);
    const failure = checkFailure(path, report, work.inputs.failOn, "the check", adviceFor(path, report, work));
    return { ...nothing, check: report, failure, recovery };
  } catch (error) {
    return { ...nothing, failure: failureOf(error, recovery), recovery };
  }
}

/** With a repair that changed something its undo stands beside the image, and the step's state knows it. */
export async function checkKeepingUndo(
  path: string,
  repair: NonNullable<CheckOptions["repair"]>,
  work: Work,
  isDrawn = false,
): Promise<CheckReport> {
  refuseCancelled(path, work);
  const { inputs, journals, signal } = work;
  const { format, backingChain } = inputs.convertOptions;
  const options: CheckOptions = {
    signal,
    onProgress: progressLines(path, work),
    ...(format === undefined ? {} : { format }),
    ...(backingChain === undefined ? {} : { backingChain }),
    ...(repair === "none" ? {} : { repair, keepUndo: true }),
    ...(isDrawn ? { layout: true } : {}),
    crossCheck: inputs.crossCheck,
    onJournal: (journalPath) => journals.open(path, journalPath, "repair"),
  };
  try {
    const report = await check(path, options);
    if (!report.changed) journals.close(path);
    return report;
  } catch (error) {
    if (error instanceof ImageError && error.journal === undefined) journals.close(path);
    throw error;
  }
}

function adviceFor(path: string, report: CheckReport, { inputs }: Work): string {
  const { losses, changed, corruptions, checkErrors } = report;
  const { repair, convertOptions } = inputs;
  if (convertOptions.dryRun && repair !== "none") return `Without dry-run a repair would be tried first: ${repair}`;
  const back = changed ? "; the end of this job puts the image back as it was" : "";
  if (losses.length > 0) {
    const giving = command("check", path, "-r", "all", "--allow-data-loss");
    return `Mending the rest gives something up (${losses[0]}): ${giving} does it${back}`;
  }
  if (repair === "all") return `Repairing it left this${back || "; the image is as it was"}`;
  return repair === "leaks"
    ? `Set repair: all to mend more than leaks${back}`
    : `Nothing was written; set repair to ${corruptions + checkErrors > 0 ? "all" : "leaks or all"} to mend it`;
}
