/** From what a plan says of each image to the lines of a matrix: what needs no work is left out. */

import type { ConversionReport } from "../../index.ts";
import { parseImageLines } from "../inputs/image-lines.ts";
import type { ImageResult } from "../results/image-result.ts";
import type { Matrix } from "../results/step-result.ts";
import { matrixOf, type PlannedLine } from "./matrix.ts";

/** An image that was planned, and the line that names it elsewhere. */
export interface PlannedImage {
  readonly line: string;
  readonly result: ImageResult;
}

/** Throws UsageError where it would be larger than a runner takes. */
export function planMatrix(images: readonly PlannedImage[], shards: number | "auto"): Matrix {
  const lines = images.filter(hasWork).map(({ line, result: { report } }): PlannedLine => {
    return { line, work: report && workOf(report) };
  });
  return matrixOf(lines, shards);
}

/** The images of the matrix that lie on this runner: its jobs run on others. */
export function localImages(images: readonly PlannedImage[]): readonly string[] {
  return images.filter(hasWork).flatMap(({ result: { path } }) => path ?? []);
}

function hasWork({ result: { report, failure, recovery } }: PlannedImage): boolean {
  return failure === undefined && !(report && recovery === undefined && isDone(report));
}

/** What keeps a name from being written as a line of `image`; undefined for nearly all. */
export function lineMistake(line: string, name: string): string | undefined {
  const { lines, urls } = parseImageLines(line);
  const [parsed] = lines;
  if (lines.length === 1 && urls.length === 0 && parsed?.name === name) return undefined;
  return "its name can't be written as a line of the input image; rename it first";
}

/** A plan that changes something writes something. */
function isDone({ changed, bytesWritten }: ConversionReport): boolean {
  return !changed && bytesWritten === 0;
}

/** Its data is read for the checksums; what moves is read and written. */
function workOf({ guestDataBytes, bytesWritten, bytesMoved, bytesSettled }: ConversionReport): number {
  return guestDataBytes + bytesWritten + bytesMoved + bytesSettled;
}
