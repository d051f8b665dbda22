/** One image from beginning to end: an interrupted conversion first, then its own, then its name. */

import type { LocatedImage } from "../acquire/locate.ts";
import {
  type ConversionReport,
  type ConvertOptions,
  convert,
  ImageError,
  renameImage,
  resume,
  rollback,
  unfinished,
} from "../index.ts";
import { failureOf, type ImageResult } from "./image-result.ts";
import type { Inputs } from "./inputs.ts";
import type { OpenJournals } from "./open-journals.ts";

export interface Work {
  readonly inputs: Inputs;
  readonly journals: OpenJournals;
  readonly signal: AbortSignal;
  /** One line for people. */
  readonly log: (line: string) => void;
}

/** A name and its place are both settled before any image is touched. */
export interface ImageToConvert extends LocatedImage {
  readonly newPath: string;
  /** Why it can't be converted, found before. */
  readonly refusal: Error | undefined;
}

/** Between two lines about one image's progress. */
const LINE_EVERY_MS = 10_000;

/** Never throws: what is wrong with one image must not keep the others from being tried. */
export async function convertImage(image: ImageToConvert, work: Work): Promise<ImageResult> {
  const { path, newPath } = image;
  let report: ConversionReport | undefined;
  let recovery: string | undefined;
  const result = (now: string, failure?: ImageResult["failure"]): ImageResult => ({
    image: path,
    path: now,
    report,
    failure,
    recovery,
  });
  try {
    if (image.refusal) throw image.refusal;
    recovery = await recoverFirst(path, work);
    report = await convertNow(image, work);
    if (recovery !== undefined && !work.inputs.convertOptions.dryRun) report = { ...report, changed: true };
  } catch (error) {
    return result(path, failureOf(error, recovery));
  }
  if (newPath === path || work.inputs.convertOptions.dryRun) return result(path);
  try {
    await renameImage(path, newPath);
    return result(newPath);
  } catch (error) {
    return result(path, failureOf(error, "The image was converted and verified before"));
  }
}

async function convertNow({ path, guestChecksum }: ImageToConvert, work: Work): Promise<ConversionReport> {
  const { inputs, journals, signal } = work;
  if (signal.aborted) throw interrupted(path, "the job was cancelled before its turn");
  const options: ConvertOptions = {
    ...inputs.convertOptions,
    ...(guestChecksum === undefined ? {} : { guestChecksum }),
    signal,
    onProgress: progressLines(path, work),
    onJournal: (journalPath) => journals.open(path, journalPath),
  };
  return closing(path, journals, () => convert(path, inputs.targetFormat, options));
}

/** One sentence about what was done; undefined where nothing was open. */
async function recoverFirst(path: string, work: Work): Promise<string | undefined> {
  const { inputs, journals, signal } = work;
  const { onInterrupted } = inputs;
  const state = await unfinished(path);
  if (state === "none") return undefined;
  const what =
    state === "undo" ? "the undo of a conversion is kept beside it" : "an earlier conversion of it was interrupted";
  if (onInterrupted === "fail") throw interrupted(path, `${what}; set on-interrupted to resume or rollback`);
  if (inputs.convertOptions.dryRun) return `Would first ${onInterrupted}: ${what}`;
  const options = { signal, onProgress: progressLines(path, work) };
  journals.open(path, `${path}.inplace-journal`);
  const { message } = await closing(path, journals, () =>
    (onInterrupted === "resume" ? resume : rollback)(path, options),
  );
  work.log(message);
  return message;
}

/** Forgets the journal unless it stands. */
async function closing<T>(path: string, journals: OpenJournals, perform: () => Promise<T>): Promise<T> {
  try {
    const value = await perform();
    journals.close(path);
    return value;
  } catch (error) {
    if (error instanceof ImageError && error.journal === undefined) journals.close(path);
    throw error;
  }
}

function interrupted(path: string, why: string): ImageError {
  return new ImageError("interrupted", `Cannot convert ${path}: ${why}`, { path, operation: "convert" });
}

function progressLines(path: string, { log }: Work): NonNullable<ConvertOptions["onProgress"]> {
  let last = performance.now();
  return ({ stage, done, total }) => {
    if (performance.now() - last < LINE_EVERY_MS) return;
    last = performance.now();
    const amount = total > 0 ? `: ${Math.min(100, Math.floor((100 * done) / total))} %` : "";
    log(`${path}: ${stage}${amount}`);
  };
}
