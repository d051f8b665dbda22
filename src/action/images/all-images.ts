/** All images worked on, a few at once: each is tried whatever becomes of the others. */

import type { LocatedImage } from "../../acquire/locate.ts";
import { UsageError } from "../../index.ts";
import { lineMistake, type PlannedImage } from "../fleet/plan-matrix.ts";
import { imageLine, type UrlLine } from "../inputs/image-lines.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { failureOf, type ImageResult, withFewerFindings } from "../results/image-result.ts";
import { checkImage } from "./check-image.ts";
import { convertImage } from "./convert-image.ts";
import { downloadImages } from "./download-images.ts";
import type { Downloads } from "./downloads.ts";
import { FilesInUse } from "./files-in-use.ts";
import { type FilesOfImage, filesOfImage } from "./files-of-image.ts";
import { namedImages, newFormatOf } from "./named-images.ts";
import { resultLine } from "./result-line.ts";
import { sideBySide } from "./side-by-side.ts";
import type { ImageToDo, Work } from "./work.ts";

/** With more images than this only the first findings of each are kept, and only the first images are drawn. */
const MANY_IMAGES = 100;
const FINDINGS_OF_MANY = 50;
/** Up to so many the summary draws. */
const FEW_IMAGES = 3;

/**
 * With files of up to so many bytes, twice as many images as asked for are worked on at once: most of the time they wait for
 * the disk to take a few sectors. Of larger ones four would have it go to and fro between their data.
 */
const SMALL_LENGTH = 16 * 2 ** 20;
const SMALL = 1;
const LARGE = 2;

/** A line, or what a glob found, in its turn. */
type Item =
  | { readonly image: ImageToDo; readonly files: FilesOfImage; readonly isDrawn: boolean }
  | { readonly url: UrlLine; readonly isDrawn: boolean };

/** @param downloads undefined where no line is a URL */
export async function workOnAll(
  images: readonly LocatedImage[],
  downloads: Downloads | undefined,
  work: Work,
): Promise<readonly PlannedImage[]> {
  const { inputs, log } = work;
  const count = images.length + inputs.urls.length;
  const isOneByOne = inputs.concurrency === 1 || count === 1;
  const named = await namedImages(images, newFormatOf(inputs));
  const drawn = drawnCount(count, inputs);
  const items: Item[] = [];
  for (const image of named) {
    const files = isOneByOne ? NO_FILES : await filesOfImage(image, inputs.convertOptions.format);
    items.push({ image, files, isDrawn: items.length < drawn });
  }
  for (const url of inputs.urls) items.push({ url, isDrawn: items.length < drawn });
  const inUse = new FilesInUse();
  const workOn = async (item: Item, lines: Work["log"]) => {
    const its = { ...work, log: lines };
    const found =
      "url" in item
        ? await ofUrl(item.url, downloads, item.isDrawn, its, inUse)
        : [await inUse.during(item.files.keys, () => ofFile({ ...item.image, isDrawn: item.isDrawn }, its))];
    for (const { result } of found) lines(resultLine(result, inputs));
    return count > MANY_IMAGES ? found.map(withFewer) : found;
  };
  const room = isOneByOne ? 1 : LARGE * inputs.concurrency;
  const results = await sideBySide(items, { room, sizeOf, log }, workOn);
  return isOneByOne ? results.flat() : (await againAlone(items, results, work, workOn)).flat();
}

const NO_FILES: FilesOfImage = { keys: [], length: 0 };

function sizeOf(item: Item): number {
  return "files" in item && item.files.length <= SMALL_LENGTH ? SMALL : LARGE;
}

/** Whoever lacked room on the disk while others took some has another try when these are through. */
async function againAlone(
  items: readonly Item[],
  results: readonly (readonly PlannedImage[])[],
  { signal, log }: Work,
  workOn: (item: Item, log: Work["log"]) => Promise<readonly PlannedImage[]>,
): Promise<readonly (readonly PlannedImage[])[]> {
  const last: (readonly PlannedImage[])[] = [];
  for (const [index, item] of items.entries()) {
    const found = results[index] as readonly PlannedImage[];
    const isAgain = "image" in item && found.some(({ result }) => lackedRoom(result)) && !signal.aborted;
    if (isAgain) log(`${item.image.path}: tried once more, now that no other image takes room`);
    last.push(isAgain ? await workOn(item, log) : found);
  }
  return last;
}

/** And is as it was before its turn. */
function lackedRoom({ failure, recovery, check }: ImageResult): boolean {
  return failure?.kind === "no-space" && failure.details.journal === undefined && !recovery && !check?.changed;
}

/** The page draws many, the summary few. */
function drawnCount(imageCount: number, { report, summary }: Inputs): number {
  if (report?.page !== undefined) return MANY_IMAGES;
  return summary !== "never" && imageCount <= FEW_IMAGES ? FEW_IMAGES : 0;
}

async function ofFile(image: ImageToDo, work: Work): Promise<PlannedImage> {
  work.log(`${image.path}: begins`);
  const line = imageLine(image.path, undefined, image.guestChecksum);
  if (work.inputs.mode !== "plan") return { line, result: await perform(image, work) };
  const mistake = lineMistake(line, image.path);
  if (mistake === undefined) return { line, result: await convertImage(image, work) };
  const error = new UsageError(`Cannot plan ${image.path}: ${mistake}`);
  return { line, result: failed(image.path, error) };
}

/** Downloads are the matrix's jobs' to make, in `mode: plan`. */
async function ofUrl(
  line: UrlLine,
  downloads: Downloads | undefined,
  isDrawn: boolean,
  work: Work,
  inUse: FilesInUse,
): Promise<readonly PlannedImage[]> {
  if (downloads === undefined) return [];
  if (work.inputs.mode !== "plan") {
    const results = await downloadImages(line, downloads, work, async (image) => {
      const { keys } = await filesOfImage(image, work.inputs.convertOptions.format);
      return inUse.during(keys, () => perform({ ...image, isDrawn }, work));
    });
    return results.map((result) => ({ line: line.url, result }));
  }
  const { url, guestChecksum } = line;
  try {
    const planned = imageLine(url, downloads.digestOf(line), guestChecksum);
    const [{ refusal } = { refusal: undefined }] = await downloads.namesOf(line, work.inputs);
    if (refusal) throw refusal;
    const result = { image: url, path: undefined, report: undefined, failure: undefined, recovery: undefined };
    return [{ line: planned, result }];
  } catch (error) {
    const failure = { ...failureOf(error, undefined), advice: "Nothing was downloaded" };
    return [{ line: url, result: { image: url, path: undefined, report: undefined, failure, recovery: undefined } }];
  }
}

function perform(image: ImageToDo, work: Work): Promise<ImageResult> {
  return (work.inputs.mode === "check" ? checkImage : convertImage)(image, work);
}

function failed(path: string, error: unknown): ImageResult {
  return { image: path, path, report: undefined, failure: failureOf(error, undefined), recovery: undefined };
}

function withFewer({ line, result }: PlannedImage): PlannedImage {
  return { line, result: withFewerFindings(result, FINDINGS_OF_MANY) };
}
