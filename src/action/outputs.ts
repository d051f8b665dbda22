/** The step's outputs: every image's JSON, more for exactly one image, and sums over all. */

import { setOutput, warning } from "@actions/core";
import type { Json } from "../index.ts";
import { CHECK_RESULTS, checkWordOf, type ImageResult, resultJson } from "./image-result.ts";

/** All outputs of a job may take 1 MB; a step that fills it leaves nothing to others. */
const MAX_IMAGES_LENGTH = 512 * 1024;

type Values = Readonly<Record<string, string | number | boolean>>;

/** @param sha256File of the resulting file, for exactly one image */
export function setOutputs(
  results: readonly ImageResult[],
  sha256File: string | undefined,
  reportPath: string | undefined,
): void {
  setOutput("images", imagesJson(results));
  const [only] = results;
  const values = {
    ...(only && results.length === 1 ? ofOneImage(only, sha256File) : {}),
    ...ofAll(results),
    ...(reportPath === undefined ? {} : { report: reportPath }),
  };
  for (const [name, value] of Object.entries(values)) setOutput(name, value);
}

function ofOneImage({ path, report }: ImageResult, sha256File: string | undefined): Values {
  if (report === undefined) return { image: path };
  const { before, after } = report.guestChecksum ?? { before: null, after: null };
  return {
    image: path,
    // Of a dry run's report the target is only what would be.
    format: report.changed ? report.targetFormat : report.sourceFormat,
    "virtual-size": report.virtualSize,
    ...(before === null ? {} : { "checksum-before": before }),
    ...(after === null ? {} : { "checksum-after": after }),
    ...(sha256File === undefined ? {} : { "sha256-file": sha256File }),
  };
}

function ofAll(results: readonly ImageResult[]): Values {
  const reports = results.flatMap(({ report }) => (report ? [report] : []));
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const words = results.map(checkWordOf);
  const worst = CHECK_RESULTS.findLast((word) => words.includes(word));
  return {
    changed: reports.some(({ changed }) => changed),
    ...(worst === undefined ? {} : { "check-result": worst }),
    corruptions: sum(({ check }) => (check.after ?? check.before)?.corruptions ?? 0),
    leaks: sum(({ check }) => (check.after ?? check.before)?.leaks ?? 0),
    "bytes-written": sum(({ bytesWritten }) => bytesWritten),
    "bytes-moved": sum(({ bytesMoved }) => bytesMoved),
    "peak-extra-bytes": sum(({ peakExtraBytes }) => peakExtraBytes),
  };
}

/** All of it where there is room; else without single findings; else only what became of each image. */
function imagesJson(results: readonly ImageResult[]): string {
  const all = results.map(resultJson);
  const forms = [
    all,
    all.map(withoutFindings),
    all.map(({ image, changed, error }) => ({ image, changed: changed ?? false, failed: error !== undefined })),
  ];
  const texts = forms.map((form) => JSON.stringify(form));
  const fits = texts.findIndex((text) => text.length <= MAX_IMAGES_LENGTH);
  if (fits !== 0)
    warning(
      "The output images is shortened, since all outputs of a job may take 1 MB; the input report writes all of it",
    );
  return texts[fits] ?? "[]";
}

function withoutFindings({ check, ...rest }: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  if (typeof check !== "object" || check === null) return rest;
  const kept = Object.entries(check).map(([when, result]) => [when, result && { ...(result as object), findings: [] }]);
  return { ...rest, check: Object.fromEntries(kept) as Json };
}
