/** What became of one image: its report, or why there is none. */

import {
  type CheckReport,
  type CheckResult,
  type ConversionReport,
  ImageError,
  UsageError,
  type Verdict,
  verdictOf,
} from "../../index.ts";
import { INPUT_WORDS } from "../inputs/input-words.ts";
import { DEFECT_ADVICE, isOfSystem, traceOf } from "./defect.ts";
import { worstFirst } from "./findings.ts";

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
  /** What was not proven, and what the cache gave in vain. */
  readonly warnings: readonly string[];
}

/** A file, and SHA-256 of its bytes. */
export interface FileDigest {
  readonly path: string;
  /** 64 hex digits, lower case. */
  readonly sha256: string;
  /** In bytes; absent where another job's report told the digest. */
  readonly size?: number;
}

export interface ImageResult {
  /** As it was named. */
  readonly image: string;
  /** Where it is now; undefined where nothing lies: of a download that failed, of a URL that is planned only. */
  readonly path: string | undefined;
  /** Absent where the conversion failed; there where only what came after it did. */
  readonly report: ConversionReport | undefined;
  /** Of `mode: check`, and of what `repair` did before a conversion. */
  readonly check?: CheckReport | undefined;
  /** Where the image was downloaded from. */
  readonly download?: Download | undefined;
  /** Of what looked at the image beside us, one sentence each: qemu-img, a missing digest. */
  readonly notes?: readonly string[];
  /** The files that held it before it was converted, as they came; only where they were read for it. */
  readonly sourceFiles?: readonly FileDigest[] | undefined;
  /** The files that hold it now, that at `path` first; only where they were read for it. */
  readonly files?: readonly FileDigest[] | undefined;
  /** Of the guest's disk, in bytes; only where the files were read. */
  readonly virtualSize?: number | undefined;
  readonly failure: ImageFailure | undefined;
  /** What was done first about an interrupted conversion, in one sentence. */
  readonly recovery: string | undefined;
}

export const AS_IT_WAS = "The image is as it was";

/** @param before what had been done to the image by then, in one sentence; undefined for nothing */
export function failureOf(error: unknown, before: string | undefined): ImageFailure {
  if (error instanceof ImageError) {
    const { kind, format, path, structure, hostOffset, guestOffset, operation, journal } = error;
    const rolledBack = error.rolledBack || undefined;
    const details = { format, path, structure, hostOffset, guestOffset, operation, journal, rolledBack };
    const reasons = error.refusals.map((reason) => reason.in(INPUT_WORDS));
    return { kind, message: error.sentence.in(INPUT_WORDS), reasons, advice: adviceFor(error, before), details };
  }
  if (error instanceof UsageError) {
    return { kind: "usage", message: error.sentence.in(INPUT_WORDS), reasons: [], advice: "", details: {} };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isOfSystem(error)) return { kind: "io", message, reasons: [], advice: before ?? AS_IT_WAS, details: {} };
  return { kind: "defect", message, reasons: [], advice: DEFECT_ADVICE, details: { trace: traceOf(error) } };
}

function adviceFor({ journal, rolledBack }: ImageError, before: string | undefined): string {
  if (journal !== undefined) {
    return "The end of this job puts it back, or finishes it where the target was verified before";
  }
  if (before !== undefined) return before;
  return rolledBack ? "Something had been written; the image was put back" : AS_IT_WAS;
}

/** Undefined where it is called as it was. */
export function nameNow({ image, path }: ImageResult): string | undefined {
  return path === image ? undefined : path;
}

/** The check of the image as it is now; undefined where it was not checked. */
export function lastCheck({ report, check }: ImageResult): CheckResult | undefined {
  return report?.check.after ?? report?.check.before ?? check;
}

/** Of the image as it is now; undefined where it was not checked. */
export function verdictNow(result: ImageResult): Verdict | undefined {
  const last = lastCheck(result);
  if (last === undefined) return isBeyondCheck(result) ? "corrupt" : undefined;
  return last === result.check ? result.check.verdict : verdictOf(last);
}

/** An image whose structures can't be followed far enough to count what is wrong; a download that is damaged is none. */
export function isBeyondCheck(result: ImageResult): boolean {
  return lastCheck(result) === undefined && result.path !== undefined && result.failure?.kind === "corrupt";
}

export function isChanged({ report, check }: ImageResult): boolean {
  return (report?.changed ?? false) || (check?.changed ?? false);
}

/** The same with at most `count` findings of each check, the worst, so that many images can't fill the memory. */
export function withFewerFindings(result: ImageResult, count: number): ImageResult {
  const { report, check } = result;
  const fewer = <T extends CheckResult>(each: T): T =>
    each.findings.length <= count ? each : { ...each, findings: worstFirst(each.findings).slice(0, count) };
  const { before = null, after = null } = report?.check ?? {};
  return {
    ...result,
    report: report && { ...report, check: { before: before && fewer(before), after: after && fewer(after) } },
    ...(check && { check: { ...fewer(check), json: withJsonFindings(check.json, count) } }),
  };
}

function withJsonFindings(json: CheckReport["json"], count: number): CheckReport["json"] {
  const { findings } = json;
  return Array.isArray(findings) && findings.length > count
    ? { ...json, findings: worstFirst(findings).slice(0, count) }
    : json;
}
