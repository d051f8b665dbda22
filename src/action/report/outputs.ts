/** The step's outputs: every image's JSON, more for exactly one image, and sums over all. */

import { setOutput, warning } from "@actions/core";
import { type Json, VERDICTS } from "../../index.ts";
import { type ImageResult, isBeyondCheck, isChanged, lastCheck, verdictNow } from "../results/image-result.ts";
import type { JsonObject } from "../results/json-fields.ts";
import { resultJson } from "../results/result-json.ts";
import type { Matrix, StepResult } from "../results/step-result.ts";
import { PREDICATE_TYPE } from "./predicate.ts";

/** All outputs of a job may take 1 MB, and UTF-16 counts; a step that fills it leaves nothing to others. */
const MAX_IMAGES_LENGTH = 384 * 1024;
/** A plan's matrix is what its job is for, so that it may take more than the images there. */
const MAX_IMAGES_BESIDE_MATRIX = 64 * 1024;

type Values = Readonly<Record<string, string | number | boolean>>;

export interface OutputFacts extends Pick<StepResult, "results"> {
  readonly matrix?: Matrix | undefined;
  /** The report's path, where one was written. */
  readonly report?: string | undefined;
  /** That of the list of checksums, where one was written. */
  readonly sha256sums?: string | undefined;
  /** That of the predicate, where one was written. */
  readonly predicate?: string | undefined;
}

export function setOutputs({ results, matrix, report, sha256sums, predicate }: OutputFacts): void {
  setOutput("images", imagesJson(results, matrix ? MAX_IMAGES_BESIDE_MATRIX : MAX_IMAGES_LENGTH));
  const [only] = results;
  const values = {
    ...(only && results.length === 1 ? ofOneImage(only) : {}),
    ...ofAll(results),
    ...(report === undefined ? {} : { report }),
    ...(sha256sums === undefined ? {} : { sha256sums }),
    ...(predicate === undefined ? {} : { predicate, "predicate-type": PREDICATE_TYPE }),
    ...(matrix && { matrix: JSON.stringify(matrix), "matrix-empty": matrix.include.length === 0 }),
  };
  for (const [name, value] of Object.entries(values)) setOutput(name, value);
}

function ofOneImage({ path, report, check, files, virtualSize: ofFile }: ImageResult): Values {
  const { before = null, after = null } = report?.guestChecksum ?? {};
  // Of a dry run's report the target is only what would be.
  const format = report ? (report.changed ? report.targetFormat : report.sourceFormat) : check?.format;
  const virtualSize = report?.virtualSize ?? ofFile;
  const sha256File = files?.[0]?.sha256;
  return {
    ...(path === undefined ? {} : { image: path }),
    ...(format === undefined ? {} : { format }),
    ...(virtualSize === undefined ? {} : { "virtual-size": virtualSize }),
    ...(before === null ? {} : { "checksum-before": before }),
    ...(after === null ? {} : { "checksum-after": after }),
    ...(sha256File === undefined ? {} : { "sha256-file": sha256File }),
  };
}

function ofAll(results: readonly ImageResult[]): Values {
  const reports = results.flatMap(({ report }) => (report ? [report] : []));
  // A plan's report tells what would be written.
  const carriedOut = reports.filter(({ changed }) => changed);
  const repairs = results.flatMap(({ check }) => (check ? [check] : []));
  const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0);
  const checks = results.flatMap((result) => lastCheck(result) ?? []);
  const verdicts = results.map(verdictNow);
  const worst = VERDICTS.findLast((verdict) => verdicts.includes(verdict));
  const downloads = results.flatMap(({ download }) => (download ? [download] : []));
  return {
    changed: results.some(isChanged),
    ...(worst === undefined ? {} : { "check-result": worst }),
    // What can't be followed is one at least.
    corruptions: sum(checks, ({ corruptions }) => corruptions) + results.filter(isBeyondCheck).length,
    leaks: sum(checks, ({ leaks }) => leaks),
    "bytes-written": sum([...carriedOut, ...repairs], ({ bytesWritten }) => bytesWritten),
    "bytes-moved": sum(carriedOut, ({ bytesMoved }) => bytesMoved),
    "peak-extra-bytes": reports.reduce((most, { peakExtraBytes }) => Math.max(most, peakExtraBytes), 0),
    "cache-hit": downloads.length > 0 && downloads.every(({ fromCache }) => fromCache),
  };
}

/** All of it where there is room; else without single findings; else only what became of each image. */
function imagesJson(results: readonly ImageResult[], maxLength: number): string {
  for (const [index, form] of FORMS.entries()) {
    const text = textWithin(results, form, maxLength);
    if (text === undefined) continue;
    if (index > 0) warning(SHORTENED);
    return text;
  }
  warning(SHORTENED);
  return "[]";
}

/** What is told of one image; undefined where nothing is. */
type Form = (json: JsonObject) => JsonObject | undefined;

const FORMS: readonly Form[] = [
  (json) => json,
  withoutFindings,
  ({ image = "", changed = false, error }) => ({ image, changed, failed: error !== undefined }),
  ({ image = "", error }) => (error === undefined ? undefined : { image, failed: true }),
];

/** A JSON array; undefined where it would be longer, found out without making the rest of it. */
function textWithin(results: readonly ImageResult[], form: Form, maxLength: number): string | undefined {
  const texts: string[] = [];
  let length = "[]".length;
  for (const result of results) {
    const json = form(resultJson(result));
    if (json === undefined) continue;
    const text = JSON.stringify(json);
    length += text.length + (texts.length > 0 ? 1 : 0);
    if (length > maxLength) return undefined;
    texts.push(text);
  }
  return `[${texts.join(",")}]`;
}

const SHORTENED =
  "The output images is shortened, since all outputs of a job may take 1 MB; the input report writes all of it";

function withoutFindings({ check, findings, repair, ...rest }: JsonObject): JsonObject {
  return {
    ...rest,
    ...(findings === undefined ? {} : { findings: [] }),
    ...(isObject(repair) ? { repair: { ...repair, findings: [] } } : {}),
    ...(isObject(check) ? { check: Object.fromEntries(Object.entries(check).map(emptied)) } : {}),
  };
}

function emptied([when, result]: [string, Json]): [string, Json] {
  return [when, isObject(result) ? { ...result, findings: [] } : result];
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
