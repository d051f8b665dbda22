/** The step: inputs, images, conversions, then everything that is told about them. */

import { resolve } from "node:path";
import { getInput, info, summary } from "@actions/core";
import { type LocatedImage, locate } from "../acquire/locate.ts";
import { checksum, ImageError, refuseTakenName } from "../index.ts";
import { annotateFailures, annotateMistakes, annotateStep } from "./annotations.ts";
import { convertImage, type ImageToConvert, type Work } from "./convert-image.ts";
import { expandGlob } from "./expand-glob.ts";
import type { ImageResult } from "./image-result.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { nameFor } from "./new-name.ts";
import { OpenJournals } from "./open-journals.ts";
import { setOutputs } from "./outputs.ts";
import { writeReport } from "./report-file.ts";
import { safeLine } from "./safe-text.ts";
import { mistakesSummary, summaryOf } from "./summary.ts";

/** @returns whether all went well */
export async function runStep(signal: AbortSignal): Promise<boolean> {
  const { inputs, mistakes: wrongInputs } = readInputs((name) => getInput(name));
  const located = inputs.images.length > 0 ? await locate(inputs.images, expandGlob) : { images: [], mistakes: [] };
  const mistakes = [...wrongInputs, ...located.mistakes, ...reportMistakes(inputs, located.images)];
  if (mistakes.length > 0) {
    annotateMistakes(mistakes);
    setOutputs([], undefined, undefined);
    if (inputs.summary !== "never") await addToSummary(mistakesSummary(mistakes));
    return false;
  }

  const log = (line: string) => info(safeLine(line));
  const work: Work = { inputs, journals: new OpenJournals(), signal, log };
  const images = await Promise.all(withNewNames(located.images, inputs).map(refuseTaken));
  const results = await inTurns(images, inputs.concurrency, async (image) => {
    log(`${image.path}: begins`);
    const result = await convertImage(image, work);
    log(resultLine(result, inputs));
    return result;
  });

  const isComplete = await tell(results, inputs, signal);
  return isComplete && results.every(({ failure }) => failure === undefined);
}

/** @returns false where something could not be told */
async function tell(results: readonly ImageResult[], inputs: Inputs, signal: AbortSignal): Promise<boolean> {
  const dryRun = inputs.convertOptions.dryRun ?? false;
  const isFailed = results.some(({ failure }) => failure !== undefined);
  annotateFailures(results);
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
  const reportPath = await attempt("Cannot write the report", async () => {
    if (inputs.report !== undefined) await writeReport(inputs.report, results, dryRun);
    return inputs.report;
  });
  const isDone = !signal.aborted && !dryRun;
  const digest = isDone ? await attempt("Cannot read the resulting file", () => sha256File(results)) : undefined;
  setOutputs(results, digest, reportPath);
  const isWanted = inputs.summary === "always" || (inputs.summary === "on-failure" && isFailed);
  if (isWanted) await addToSummary(summaryOf({ mode: "convert", targetFormat: inputs.targetFormat, dryRun, results }));
  return isComplete;
}

/** A report must never take the place of an image, whatever the image is called. */
function reportMistakes({ report }: Inputs, images: readonly LocatedImage[]): string[] {
  if (report === undefined || !images.some(({ path }) => resolve(path) === resolve(report))) return [];
  return [`Cannot use report: "${report}": it is an image of this step; name another path`];
}

function withNewNames(images: readonly LocatedImage[], { rename, targetFormat }: Inputs): readonly ImageToConvert[] {
  const named = images.map((image) => ({ ...image, newPath: rename ? nameFor(image.path, targetFormat) : image.path }));
  return named.map((image) => {
    const others = named.filter(
      ({ newPath, path }) => path !== image.path && resolve(newPath) === resolve(image.newPath),
    );
    const [other] = image.newPath === image.path ? [] : others;
    if (other === undefined) return { ...image, refusal: undefined };
    const why = `${other.path} would have the same name; rename one of them first, or set rename to false`;
    const message = `Cannot rename ${image.path} to ${image.newPath}: ${why}`;
    return { ...image, refusal: new ImageError("in-use", message, { path: image.path, operation: "rename" }) };
  });
}

async function refuseTaken(image: ImageToConvert): Promise<ImageToConvert> {
  if (image.refusal || image.newPath === image.path) return image;
  try {
    await refuseTakenName(image.path, image.newPath);
    return image;
  } catch (error) {
    return { ...image, refusal: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Results in the order of `items`, at most `count` of them at work at once. */
async function inTurns<T, R>(items: readonly T[], count: number, perform: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await perform(item);
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker));
  return results;
}

/** For exactly one image that went well; undefined else. A file taken as raw is its own guest, whatever it holds. */
async function sha256File(results: readonly ImageResult[]): Promise<string | undefined> {
  const [only] = results;
  if (only === undefined || results.length > 1 || only.failure) return undefined;
  const digest = await checksum(only.path, { format: "raw", algorithm: "sha256" });
  return digest.checksum;
}

function resultLine({ image, path, report, failure }: ImageResult, { convertOptions }: Inputs): string {
  if (failure) return `${image}: failed: ${failure.message}`;
  const name = path === image ? "" : `, now ${path}`;
  if (report === undefined || (!report.changed && !convertOptions.dryRun)) return `${image}: nothing to do${name}`;
  return `${image}: ${report.sourceFormat} ${convertOptions.dryRun ? "would become" : "is now"} ${report.targetFormat}${name}`;
}

/** A missing summary fails nothing: old servers have none. */
async function addToSummary(html: string): Promise<void> {
  try {
    await summary.addRaw(html).write();
  } catch (error) {
    info(`Cannot write the summary: ${error instanceof Error ? error.message : error}`);
  }
}
