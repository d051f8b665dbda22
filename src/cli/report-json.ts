/** A conversion's report for programs: the contract's keys in its order, then what else the library tells. */

import { type ConversionReport, kebabKeys } from "../doors.ts";

const ORDER = [
  "image",
  "imageAfter",
  "diskFile",
  "sourceFormat",
  "targetFormat",
  "changed",
  "virtualSize",
  "clusterSize",
  "bytesWritten",
  "bytesMoved",
  "bytesSettled",
  "peakExtraBytes",
  "syncs",
  "fileSizeBefore",
  "fileSizeAfter",
  "actualSizeBefore",
  "actualSizeAfter",
  "guestChecksum",
  "check",
  "path",
  "dropped",
  "refused",
  "rolledBack",
  "milliseconds",
] as const satisfies readonly (keyof ConversionReport)[];

export function conversionJson(report: ConversionReport): Readonly<Record<string, unknown>> {
  const ordered = Object.fromEntries(ORDER.flatMap((key) => (report[key] === undefined ? [] : [[key, report[key]]])));
  return kebabKeys({ ...ordered, ...report }) as Readonly<Record<string, unknown>>;
}
