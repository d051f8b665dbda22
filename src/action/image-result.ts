/** What became of one image: its report, or why there is none. */

import { type CheckReport, type ConversionReport, ImageError, type Json, kebabKeys, UsageError } from "../index.ts";
import { inInputWords } from "./input-words.ts";

export interface ImageFailure {
  readonly kind: string;
  /** What is wrong. */
  readonly message: string;
  /** All reasons of a refusal; empty where the message says it all. */
  readonly reasons: readonly string[];
  /** In what state the image is, and what to do. */
  readonly advice: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Download {
  readonly url: string;
  /** `sha256:HEX` or `sha512:HEX` of the bytes as downloaded. */
  readonly digest: string;
  readonly bytes: number;
  readonly fromCache: boolean;
}

export interface ImageResult {
  /** As it was named. */
  readonly image: string;
  /** Where it is now. */
  readonly path: string;
  /** Absent where the conversion failed; there where only what came after it did. */
  readonly report: ConversionReport | undefined;
  /** Of `mode: check`, and of what `repair` did before a conversion. */
  readonly check?: CheckReport | undefined;
  /** Where the image was downloaded from. */
  readonly download?: Download | undefined;
  /** Of what looked at the image beside us, one sentence each: qemu-img, a missing digest. */
  readonly notes?: readonly string[];
  readonly failure: ImageFailure | undefined;
  /** What was done first about an interrupted conversion, in one sentence. */
  readonly recovery: string | undefined;
}

/** Worst last. */
export const CHECK_RESULTS = ["clean", "unsupported", "leaks", "corrupt"] as const;
export type CheckWord = (typeof CHECK_RESULTS)[number];

/** @param before what had been done to the image by then, in one sentence; undefined for nothing */
export function failureOf(error: unknown, before: string | undefined): ImageFailure {
  if (error instanceof ImageError) {
    const { kind, format, path, structure, hostOffset, guestOffset, operation, journal } = error;
    const rolledBack = error.rolledBack || undefined;
    const details = { format, path, structure, hostOffset, guestOffset, operation, journal, rolledBack };
    const reasons = error.reasons.map(inInputWords);
    return { kind, message: inInputWords(error.message), reasons, advice: adviceFor(error, before), details };
  }
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = error instanceof UsageError;
  // What is neither is a defect, of which the trace is what a report needs.
  const trace = isUsage || !(error instanceof Error) ? undefined : error.stack;
  return { kind: isUsage ? "usage" : "defect", message, reasons: [], advice: "", details: { trace } };
}

function adviceFor({ journal, rolledBack }: ImageError, before: string | undefined): string {
  if (journal !== undefined) {
    return "The end of this job puts it back, or finishes it where the target was verified before";
  }
  if (before !== undefined) return before;
  return rolledBack ? "Something had been written; the image was put back" : "The image is as it was";
}

/** As `inplace-convert convert --output json` prints it, with what only the action knows; pictures are the page's. */
export function resultJson({ image, path, report, failure, recovery }: ImageResult): { readonly [key: string]: Json } {
  const own = { image: path, renamedFrom: path === image ? undefined : image, recovery };
  const error = failure && { kind: failure.kind, message: failure.message, advice: failure.advice, ...failure.details };
  const refused = failure && failure.reasons.length > 0 ? failure.reasons : undefined;
  return kebabKeys({ ...own, ...report, layout: undefined, image: path, error, ...(refused ? { refused } : {}) }) as {
    readonly [key: string]: Json;
  };
}

/** Of the image as it is now; undefined where it was not checked. */
export function checkWordOf({ report, failure }: ImageResult): CheckWord | undefined {
  const check = report?.check.after ?? report?.check.before;
  if (check) {
    if (check.corruptions + check.checkErrors > 0) return "corrupt";
    return check.leaks > 0 ? "leaks" : "clean";
  }
  return failure?.kind === "corrupt" ? "corrupt" : undefined;
}
