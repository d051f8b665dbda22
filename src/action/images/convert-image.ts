/** One image from beginning to end: an interrupted run first, a repair, the conversion, then its name. */

import {
  type CheckReport,
  type ConversionReport,
  type ConvertOptions,
  check as checkOf,
  convert,
  ImageError,
  type ImageErrorKind,
  plan,
  renameImage,
} from "../../index.ts";
import { AS_IT_WAS, failureOf, type ImageResult } from "../results/image-result.ts";
import { leaksFailure, needsConsent } from "../results/leaks-given-up.ts";
import { checkFailure } from "./check-failure.ts";
import { sourceDigests } from "./file-digests.ts";
import { recoverFirst } from "./recover-first.ts";
import { needsRepair, repairFirst } from "./repair-first.ts";
import { undoNotes } from "./undo-notes.ts";
import { closing, type ImageToDo, progressLines, refuseCancelled, type Work } from "./work.ts";

/** Refusals for what an image is, not for what is around it. */
const OF_THE_IMAGE: readonly ImageErrorKind[] = [
  "corrupt",
  "unsupported",
  "out-of-bounds",
  "no-space",
  "verification-failed",
];

/** Never throws: what is wrong with one image must not keep the others from being tried. */
export async function convertImage(image: ImageToDo, work: Work): Promise<ImageResult> {
  const { path, newPath } = image;
  const { inputs } = work;
  const { dryRun, keepUndo } = inputs.convertOptions;
  let report: ConversionReport | undefined;
  let check: CheckReport | undefined;
  let recovery: string | undefined;
  let sourceFiles: ImageResult["sourceFiles"];
  const notes: string[] = [];
  const result = (now: string, failure?: ImageResult["failure"]): ImageResult => ({
    image: path,
    path: now,
    report,
    ...(check === undefined ? {} : { check }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(sourceFiles === undefined ? {} : { sourceFiles }),
    failure,
    recovery,
  });
  try {
    if (image.refusal) throw image.refusal;
    recovery = await recoverFirst(path, work, true);
    if (dryRun && recovery !== undefined) {
      notes.push("What its conversion writes can be told only then");
      return result(path);
    }
    if (inputs.predicate !== undefined && !dryRun) sourceFiles = await sourceDigests(path, work);
    check = await repairFirst(image, work);
    const ahead = needsRepair(check, work);
    if (ahead !== undefined) {
      notes.push(ahead);
      return result(path);
    }
    if (!dryRun && check === undefined) await refuseLeaksGivenUp(image, work);
    report = await convertNow(image, work);
  } catch (error) {
    const before = recovery ?? repaired(check);
    check ??= await foundIn(path, error, work);
    return result(path, failureOf(error, before));
  }
  const isConverted = report.changed;
  if ((recovery !== undefined || check?.changed) && !dryRun) report = { ...report, changed: true };
  const state = isConverted ? doneBefore(keepUndo) : (recovery ?? repaired(check) ?? AS_IT_WAS);
  const { after } = report.check;
  const unwanted =
    (after && checkFailure(path, after, inputs.failOn, isConverted ? "its last check" : "its check", state)) ??
    (dryRun && inputs.repair !== "none" ? undefined : leaksFailure(path, report, inputs, state));
  const now = dryRun ? path : (report.imageAfter ?? path);
  const ended = async (name: string, failure?: ImageResult["failure"]) => {
    if (isConverted && keepUndo && !dryRun) notes.push(...(await undoNotes(name)));
    return result(name, failure);
  };
  if (newPath === path || newPath === now || dryRun || (unwanted && !isConverted)) return ended(now, unwanted);
  try {
    await renameImage(now, newPath);
    return ended(newPath, unwanted);
  } catch (error) {
    return ended(now, failureOf(error, state));
  }
}

/** Without a check before it only the plan knows of them, and afterwards they are gone. */
async function refuseLeaksGivenUp(image: ImageToDo, work: Work): Promise<void> {
  const { inputs } = work;
  if (!needsConsent(inputs)) return;
  const { report } = await plan(image.path, inputs.targetFormat, { ...optionsFor(image, work), crossCheck: "off" });
  const failure = leaksFailure(image.path, report, inputs, AS_IT_WAS);
  if (failure === undefined) return;
  const { path } = image;
  throw new ImageError("unsupported", failure.message, { path, format: report.sourceFormat, operation: "plan" });
}

/** What would say how bad an image is that can't be converted; undefined where its check can't be made. */
async function foundIn(path: string, error: unknown, { inputs, signal }: Work): Promise<CheckReport | undefined> {
  if (!(error instanceof ImageError) || error.journal !== undefined || signal.aborted) return undefined;
  const { format, backingChain, check: isChecked } = inputs.convertOptions;
  if (error.kind !== "corrupt" && !(isChecked && OF_THE_IMAGE.includes(error.kind))) return undefined;
  try {
    return await checkOf(path, {
      signal,
      ...(format === undefined ? {} : { format }),
      ...(backingChain === undefined ? {} : { backingChain }),
    });
  } catch {
    return undefined;
  }
}

async function convertNow(image: ImageToDo, work: Work): Promise<ConversionReport> {
  const { inputs, journals } = work;
  const { path } = image;
  refuseCancelled(path, work);
  return closing(path, journals, () => convert(path, inputs.targetFormat, optionsFor(image, work)));
}

function optionsFor({ path, guestChecksum, isDrawn, maxExtraSpace }: ImageToDo, work: Work): ConvertOptions {
  const { inputs, journals, signal } = work;
  return {
    ...inputs.convertOptions,
    ...(maxExtraSpace === undefined ? {} : { maxExtraSpace }),
    ...(guestChecksum === undefined ? {} : { guestChecksum }),
    ...(isDrawn && { layout: true }),
    crossCheck: inputs.crossCheck,
    signal,
    onProgress: progressLines(path, work),
    onJournal: (journalPath) => journals.open(path, journalPath),
  };
}

function repaired(check: CheckReport | undefined): string | undefined {
  return check?.changed ? "The image was repaired before, and stays so" : undefined;
}

function doneBefore(keepUndo: boolean | undefined): string {
  const back = keepUndo ? "; its undo stands beside it, and rollback puts it back" : "";
  return `The image was converted and verified before${back}`;
}
