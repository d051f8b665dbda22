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
import { mapConcurrently } from "./limited-concurrency.ts";
import { namedImages, newFormatOf } from "./named-images.ts";
import { resultLine } from "./result-line.ts";
import type { ImageToDo, Work } from "./work.ts";

/** With more images than this only the first findings of each are kept, and only the first images are drawn. */
const MANY_IMAGES = 100;
const FINDINGS_OF_MANY = 50;
/** Up to so many the summary draws. */
const FEW_IMAGES = 3;

/** @param downloads undefined where no line is a URL */
export async function workOnAll(
  images: readonly LocatedImage[],
  downloads: Downloads | undefined,
  work: Work,
): Promise<readonly PlannedImage[]> {
  const { inputs, log } = work;
  const count = images.length + inputs.urls.length;
  const named = await namedImages(images, newFormatOf(inputs));
  const drawn = drawnCount(count, inputs);
  const items = [...named.entries(), ...inputs.urls.map((url, index) => [named.length + index, url] as const)];
  const results = await mapConcurrently(items, inputs.concurrency, async ([index, item]) => {
    const isDrawn = index < drawn;
    const found =
      "url" in item ? await ofUrl(item, downloads, isDrawn, work) : [await ofFile({ ...item, isDrawn }, work)];
    for (const { result } of found) log(resultLine(result, inputs));
    return count > MANY_IMAGES ? found.map(withFewer) : found;
  });
  return results.flat();
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
): Promise<readonly PlannedImage[]> {
  if (downloads === undefined) return [];
  if (work.inputs.mode !== "plan") {
    const results = await downloadImages(line, downloads, work, (image) => perform({ ...image, isDrawn }, work));
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
