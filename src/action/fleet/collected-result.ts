/** A result read back from the JSON of a report. The file may be anyone's: what has another type counts as absent. */

import {
  CheckExit,
  type CheckReport,
  type CheckResult,
  type ConversionReport,
  type Finding,
  type Json,
  type LeaksGivenUp,
  VERDICTS,
  verdictOf,
} from "../../index.ts";
import type { ImageFailure, ImageResult } from "../results/image-result.ts";

type Fields = Readonly<Record<string, unknown>>;

export function resultOfJson(json: object): ImageResult {
  const fields = json as Fields;
  const path = text(fields.image);
  const isConversion = typeof fields["source-format"] === "string";
  const check = isConversion ? fields.repair : typeof fields["check-errors"] === "number" ? fields : undefined;
  const recovery = optional(fields.recovery);
  const error = isFields(fields.error) ? fields.error : undefined;
  const isNowhere =
    /^https?:\/\//.test(path) || (error?.kind === "report" && !("path" in error) && /^(?:all )?shard/.test(path));
  return {
    image: text(fields["renamed-from"]) || path,
    path: isNowhere ? undefined : path,
    report: isConversion ? conversionOf(fields) : undefined,
    ...(isFields(check) ? { check: checkReportOf(check) } : {}),
    ...(isConversion || isFields(check) ? {} : { notes: texts(fields.notes) }),
    ...(isFields(fields.download) ? { download: downloadOf(fields.download) } : {}),
    failure: error && failureOf(error, texts(fields.refused)),
    recovery,
  };
}

function conversionOf(fields: Fields): ConversionReport {
  const checksum = isFields(fields["guest-checksum"]) ? fields["guest-checksum"] : undefined;
  const check = isFields(fields.check) ? fields.check : {};
  return {
    image: text(fields.image),
    sourceFormat: text(fields["source-format"]),
    targetFormat: text(fields["target-format"]),
    changed: fields.changed === true,
    virtualSize: count(fields["virtual-size"]),
    clusterSize: count(fields["cluster-size"]),
    guestDataBytes: count(fields["guest-data-bytes"]),
    bytesWritten: count(fields["bytes-written"]),
    bytesMoved: count(fields["bytes-moved"]),
    bytesSettled: count(fields["bytes-settled"]),
    peakExtraBytes: count(fields["peak-extra-bytes"]),
    syncs: count(fields.syncs),
    fileSizeBefore: count(fields["file-size-before"]),
    fileSizeAfter: count(fields["file-size-after"]),
    guestChecksum: checksum
      ? {
          algorithm: checksum.algorithm === "sha256" ? "sha256" : "blkhash-sha256",
          covers: checksum.covers === "layer" ? "layer" : "guest",
          before: optional(checksum.before) ?? null,
          after: optional(checksum.after) ?? null,
        }
      : null,
    check: {
      before: isFields(check.before) ? checkResultOf(check.before) : null,
      after: isFields(check.after) ? checkResultOf(check.after) : null,
    },
    dropped: texts(fields.dropped),
    ...(isFields(fields["leaks-given-up"]) ? { leaksGivenUp: leaksOf(fields["leaks-given-up"]) } : {}),
    refused: [],
    rolledBack: fields["rolled-back"] === true,
    milliseconds: durationsOf(fields.milliseconds),
    notes: texts(fields.notes),
  };
}

function leaksOf(fields: Fields): LeaksGivenUp {
  return {
    clusters: count(fields.clusters),
    bytes: count(fields.bytes),
    isSuspicious: fields["is-suspicious"] === true,
  };
}

function durationsOf(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(isFields(value) ? Object.entries(value).map(([stage, each]) => [stage, count(each)]) : []);
}

function checkResultOf(fields: Fields): CheckResult {
  const findings = Array.isArray(fields.findings) ? fields.findings.filter(isFields) : [];
  return {
    corruptions: count(fields.corruptions),
    leaks: count(fields.leaks),
    checkErrors: count(fields["check-errors"]),
    warnings: count(fields.warnings),
    imageEndOffset: count(fields["image-end-offset"]),
    totalClusters: count(fields["total-clusters"]),
    allocatedClusters: count(fields["allocated-clusters"]),
    fragmentedClusters: count(fields["fragmented-clusters"]),
    compressedClusters: count(fields["compressed-clusters"]),
    findings: findings.map(findingOf),
  };
}

function checkReportOf(fields: Fields): CheckReport {
  const result = checkResultOf(fields);
  const verdict = VERDICTS.find((each) => each === fields["check-result"]) ?? verdictOf(result);
  const own = ["image", "renamed-from", "recovery", "download", "error", "refused", "notes"];
  const ofAction = [...own, "check-result", "changed", "losses", "given-up", "bytes-written", "syncs", "milliseconds"];
  return {
    ...result,
    image: text(fields.image) || text(fields.filename),
    format: text(fields.format),
    verdict,
    exitCode: CheckExit[verdict],
    leaksFixed: count(fields["leaks-fixed"]),
    corruptionsFixed: count(fields["corruptions-fixed"]),
    changed: fields.changed === true,
    losses: texts(fields.losses),
    givenUp: texts(fields["given-up"]),
    bytesWritten: count(fields["bytes-written"]),
    syncs: count(fields.syncs),
    milliseconds: durationsOf(fields.milliseconds),
    json: Object.fromEntries(Object.entries(fields).filter(([name]) => !ofAction.includes(name))) as Record<
      string,
      Json
    >,
    fixedText: "",
    text: "",
    notes: texts(fields.notes),
  };
}

function findingOf(fields: Fields): Finding {
  const { severity, "guest-offset": guestOffset, "host-offset": hostOffset, refcount, references } = fields;
  return {
    severity: severity === "corruption" || severity === "leak" || severity === "warning" ? severity : "error",
    kind: text(fields.kind),
    structure: text(fields.structure),
    message: text(fields.message),
    ...(typeof guestOffset === "number" ? { guestOffset } : {}),
    ...(typeof hostOffset === "number" ? { hostOffset } : {}),
    ...(typeof refcount === "number" ? { refcount } : {}),
    ...(typeof references === "number" ? { references } : {}),
  };
}

function failureOf(fields: Fields, reasons: readonly string[]): ImageFailure {
  const { kind, message, advice, ...details } = fields;
  return { kind: text(kind) || "failed", message: text(message), reasons, advice: text(advice), details };
}

function downloadOf(fields: Fields): NonNullable<ImageResult["download"]> {
  return {
    url: text(fields.url),
    digest: text(fields.digest),
    bytes: count(fields.bytes),
    fromCache: fields["from-cache"] === true,
    warnings: texts(fields.warnings),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function optional(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** Sizes and counts are never negative. */
function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}
