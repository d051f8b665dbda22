/** All images worked on, a few at once: each is tried whatever becomes of the others. */

import type { LocatedImage } from "../acquire/locate.ts";
import { UsageError } from "../index.ts";
import { checkImage } from "./check-image.ts";
import { convertImage } from "./convert-image.ts";
import { imageLine, type UrlLine } from "./image-lines.ts";
import { failureOf, type ImageResult, isChanged, withFewerFindings } from "./image-result.ts";
import type { Inputs } from "./inputs.ts";
import { namedImages } from "./named-images.ts";
import { lineMistake, type PlannedImage } from "./plan-matrix.ts";
import { inTurns } from "./turns.ts";
import type { ImageToDo, Work } from "./work.ts";

/** With more images than this only the first findings of each are kept. */
const MANY_IMAGES = 100;
const FINDINGS_OF_MANY = 50;
/** Up to so many the summary draws. */
const FEW_IMAGES = 3;

export async function workOnAll(images: readonly LocatedImage[], work: Work): Promise<readonly PlannedImage[]> {
  const { inputs, log } = work;
  const isMany = images.length + inputs.urls.length > MANY_IMAGES;
  const isRenamed = inputs.rename && inputs.mode === "convert";
  const named = await namedImages(images, isRenamed ? inputs.targetFormat : undefined);
  const perform = inputs.mode === "check" ? checkImage : convertImage;
  const drawn = drawnCount(images.length, inputs);
  const toDo = named.map((image, index) => ({ ...image, isDrawn: index < drawn }));
  const local = await inTurns(toDo, inputs.concurrency, async (image) => {
    log(`${image.path}: begins`);
    const line = imageLine(image.path, undefined, image.guestChecksum);
    const result = inputs.mode === "plan" ? await planned(image, line, work) : await perform(image, work);
    log(resultLine(result, inputs));
    return { line, result: isMany ? withFewerFindings(result, FINDINGS_OF_MANY) : result };
  });
  return [...local, ...inputs.urls.map(plannedUrl)];
}

/** The page draws many, the summary few. */
function drawnCount(imageCount: number, { report, summary }: Inputs): number {
  if (report?.page !== undefined) return MANY_IMAGES;
  return summary !== "never" && imageCount <= FEW_IMAGES ? FEW_IMAGES : 0;
}

/** Downloads are the matrix's jobs' to make. */
function plannedUrl({ url, digest, guestChecksum }: UrlLine): PlannedImage {
  const result = { image: url, path: url, report: undefined, failure: undefined, recovery: undefined };
  return { line: imageLine(url, digest, guestChecksum), result };
}

async function planned(image: ImageToDo, line: string, work: Work): Promise<ImageResult> {
  const { path } = image;
  const mistake = lineMistake(line, path);
  if (mistake === undefined) return convertImage(image, work);
  const failure = failureOf(new UsageError(`Cannot plan ${path}: ${mistake}`), undefined);
  return { image: path, path, report: undefined, failure, recovery: undefined };
}

function resultLine(result: ImageResult, { convertOptions, mode }: Inputs): string {
  const { image, path, report, check, failure } = result;
  if (failure) return `${image}: failed: ${failure.message}`;
  const name = path === image ? "" : `, now ${path}`;
  if (mode === "check") return `${image}: ${check?.verdict}${isChanged(result) ? ", repaired" : ""}`;
  const { dryRun } = convertOptions;
  if (report === undefined) return `${image}: would be repaired first`;
  if (!report.changed && !dryRun) return `${image}: nothing to do${name}`;
  return `${image}: ${report.sourceFormat} ${dryRun ? "would become" : "is now"} ${report.targetFormat}${name}`;
}
