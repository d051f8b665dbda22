/** inplace-convert: change the format of a VM disk image inside the file it already occupies. */

export { counted } from "./bytes/count-text.ts";
export { hex, ImageError, type ImageErrorDetails, type ImageErrorKind, UsageError } from "./bytes/image-error.ts";
export { formatSize, parseSize } from "./bytes/size-text.ts";
export type { Verdict } from "./check/verdict.ts";
export { check } from "./convert/check.ts";
export { type ChecksumOptions, checksum } from "./convert/checksum.ts";
export { type CompareOptions, compare } from "./convert/compare.ts";
export { convert, plan } from "./convert/convert.ts";
export { type CrossCheck, crossCheckMistake } from "./convert/cross-check.ts";
export { makeDemoImage } from "./convert/demo-image.ts";
export {
  type ChildInfo,
  type CommonInfo,
  type InfoReport,
  info,
  type Qcow2Info,
  type QedInfo,
  type RawInfo,
} from "./convert/info.ts";
export { infoText } from "./convert/info-text.ts";
export { type Json, kebabKeys } from "./convert/kebab-keys.ts";
export { type MapEntry, type MapReport, map, mapText } from "./convert/map.ts";
export { type RecoveryOptions, resume, rollback } from "./convert/recovery.ts";
export { refuseTakenName, renameImage } from "./convert/rename.ts";
export type * from "./convert/report.ts";
export { setmap } from "./convert/setmap.ts";
export { targetOptions } from "./convert/target-options.ts";
export { type Unfinished, unfinished } from "./convert/unfinished.ts";
export { usageMistakes } from "./convert/usage.ts";
export type { TargetOption } from "./image/driver.ts";
export type { FileLayout, LayoutKind, LayoutRun } from "./image/file-layout.ts";
export type { CheckResult, Finding, FindingListener, FindingSeverity } from "./image/finding.ts";
export type { RepairScope } from "./image/repair.ts";
export type { Qcow2BitmapInfo, Qcow2Details, SnapshotInfo } from "./image/specific-info.ts";
