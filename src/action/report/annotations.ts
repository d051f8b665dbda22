/** What the step says at the images: one error for each that failed, none for the step itself. */

import { isAbsolute, relative, resolve, sep } from "node:path";
import { error, warning } from "@actions/core";
import { findingLine } from "../results/findings.ts";
import type { ImageResult } from "../results/image-result.ts";
import { countsOfFailure, findingsOf, furtherReasons } from "../results/result-findings.ts";
import { safeLine, safeLines, shortened } from "./safe-text.ts";

/** A runner shows ten of a kind for a step and cuts each at 4,096 characters. */
const SHOWN = 9;
const MAX_LENGTH = 4096;
const MAX_TITLE = 200;
const MAX_MESSAGE = 1500;
const MAX_ITEM = 200;

/** One error for each image that failed; beyond the first nine, how many more there are. */
export function annotateFailures(results: readonly ImageResult[]): void {
  const failed = results.filter(({ failure }) => failure !== undefined);
  for (const result of failed.slice(0, SHOWN)) annotate(result);
  if (failed.length > SHOWN) annotateStep("More images failed", `${failed.length - SHOWN} more, see the summary`);
}

/** All mistakes in the inputs at once. */
export function annotateMistakes(mistakes: readonly string[]): void {
  const text = mistakes.length === 1 ? `${mistakes[0]}` : mistakes.map((mistake) => `- ${mistake}`).join("\n");
  annotateStep("Cannot use these inputs", `${text}\nNothing was touched`);
}

export function annotateStep(title: string, message: string): void {
  error(shortened(safeLines(message), MAX_LENGTH, " …"), { title: titleOf(title) });
}

/** An error at a file. */
export function annotateImage(path: string | undefined, title: string, message: string): void {
  error(textAtImage(message), { title: titleOf(title), ...placeOf(path) });
}

/** A warning at each file; beyond the first nine, how many more there are. */
export function warnOfImages(
  title: string,
  images: readonly { readonly path: string; readonly message: string }[],
): void {
  for (const { path, message } of images.slice(0, SHOWN))
    warning(textAtImage(message), { title: titleOf(title), ...placeOf(path) });
  if (images.length > SHOWN) warning(`${images.length - SHOWN} more, see the summary`, { title: titleOf(title) });
}

function textAtImage(message: string): string {
  return shortened(safeLines(message), MAX_LENGTH, " … see the summary");
}

function placeOf(path: string | undefined): { readonly file?: string } {
  return path === undefined ? {} : { file: safeLine(workspacePath(path)) };
}

function annotate(result: ImageResult): void {
  const { image, path, failure } = result;
  if (failure === undefined) return;
  const counts = countsOfFailure(result);
  const isMissing = failure.kind === "report" && path === undefined;
  const title = counts === undefined ? `${image} failed: ${failure.kind}` : `${image}: ${counts}`;
  annotateImage(path, isMissing ? "Reports are missing" : title, textOf(result));
}

/** What is wrong, the worst of it one by one, what to do: the end is never what is cut off. */
function textOf(result: ImageResult): string {
  const { message, advice } = result.failure as NonNullable<ImageResult["failure"]>;
  const found = findingsOf(result).filter((finding) => !message.includes(finding.message));
  const items = [...furtherReasons(result), ...found.map(findingLine)].map(
    (item) => `- ${shortened(item, MAX_ITEM, " …")}`,
  );
  const head = shortened(message, MAX_MESSAGE, " …");
  const hidden = items.length - SHOWN;
  const lines = [head, ...items.slice(0, SHOWN), hidden > 0 ? `${hidden} more, see the summary` : "", advice];
  return lines.filter((line) => line !== "").join("\n");
}

function titleOf(text: string): string {
  return shortened(safeLine(text), MAX_TITLE, "…");
}

/** Relative to the workspace with `/`, as annotations name files; absolute where it lies elsewhere. */
function workspacePath(path: string): string {
  const absolute = resolve(path);
  const inside = relative(process.env.GITHUB_WORKSPACE || process.cwd(), absolute);
  const isInside = inside !== "" && !isAbsolute(inside) && inside.split(sep)[0] !== "..";
  return (isInside ? inside : absolute).replaceAll(sep, "/");
}
