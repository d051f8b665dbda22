/** One image from beginning to end: an interrupted run first, a repair, the conversion, then its name. */

import { type CheckReport, type ConversionReport, type ConvertOptions, convert, renameImage } from "../index.ts";
import { checkFailure } from "./check-failure.ts";
import { failureOf, type ImageResult } from "./image-result.ts";
import { recoverFirst } from "./recover-first.ts";
import { needsRepair, repairFirst } from "./repair-first.ts";
import { closing, type ImageToDo, progressLines, refuseCancelled, type Work } from "./work.ts";

/** Never throws: what is wrong with one image must not keep the others from being tried. */
export async function convertImage(image: ImageToDo, work: Work): Promise<ImageResult> {
  const { path, newPath } = image;
  const { dryRun, keepUndo } = work.inputs.convertOptions;
  let report: ConversionReport | undefined;
  let check: CheckReport | undefined;
  let recovery: string | undefined;
  const notes: string[] = [];
  const result = (now: string, failure?: ImageResult["failure"]): ImageResult => ({
    image: path,
    path: now,
    report,
    ...(check === undefined ? {} : { check }),
    ...(notes.length === 0 ? {} : { notes }),
    failure,
    recovery,
  });
  try {
    if (image.refusal) throw image.refusal;
    recovery = await recoverFirst(path, work, true);
    check = await repairFirst(image, work);
    const ahead = needsRepair(check, work);
    if (ahead !== undefined) {
      notes.push(ahead);
      return result(path);
    }
    report = await convertNow(image, work, recovery !== undefined);
    if ((recovery !== undefined || check?.changed) && !dryRun) report = { ...report, changed: true };
  } catch (error) {
    return result(path, failureOf(error, report ? doneBefore(keepUndo) : (recovery ?? repaired(check))));
  }
  const after = report.check.after;
  const unwanted = after && checkFailure(path, after, work.inputs.failOn, "its last check", doneBefore(keepUndo));
  if (newPath === path || dryRun) return result(path, unwanted ?? undefined);
  try {
    await renameImage(path, newPath);
    return result(newPath, unwanted ?? undefined);
  } catch (error) {
    return result(path, failureOf(error, doneBefore(keepUndo)));
  }
}

/** A dry run of an image that would first be resumed or put back plans it as found. */
async function convertNow(
  { path, guestChecksum, isDrawn }: ImageToDo,
  work: Work,
  isRecovered: boolean,
): Promise<ConversionReport> {
  const { inputs, journals, signal } = work;
  refuseCancelled(path, work);
  const options: ConvertOptions = {
    ...inputs.convertOptions,
    ...(guestChecksum === undefined ? {} : { guestChecksum }),
    ...(isDrawn && { layout: true }),
    crossCheck: inputs.crossCheck,
    ...(isRecovered && inputs.convertOptions.dryRun ? { ignoreUnfinished: true } : {}),
    signal,
    onProgress: progressLines(path, work),
    onJournal: (journalPath) => journals.open(path, journalPath),
  };
  return closing(path, journals, () => convert(path, inputs.targetFormat, options));
}

function repaired(check: CheckReport | undefined): string | undefined {
  return check?.changed ? "The image was repaired before, and stays so" : undefined;
}

function doneBefore(keepUndo: boolean | undefined): string {
  const back = keepUndo ? "; its undo stands beside it, and rollback puts it back" : "";
  return `The image was converted and verified before${back}`;
}
