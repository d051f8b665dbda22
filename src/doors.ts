/**
 * All of the library that loads little: its verbs are doors, and what stands behind one is loaded when it is opened. A
 * command that only looks at a small image is done before everything would be read.
 */

export { counted } from "./bytes/count-text.ts";
export {
  hex,
  ImageError,
  type ImageErrorDetails,
  type ImageErrorFacts,
  type ImageErrorKind,
  type ImageErrorWords,
  type NextSteps,
  UsageError,
} from "./bytes/image-error.ts";
export {
  COMMAND_LINE,
  type CommandReference,
  command,
  commandLine,
  commandText,
  joined,
  type OptionReference,
  Sentence,
  type SentencePart,
  type SentenceReference,
  say,
  type Vocabulary,
  type Words,
} from "./bytes/sentence.ts";
export { shellWord } from "./bytes/shell-word.ts";
export { fileText, formatSize, parseSize } from "./bytes/size-text.ts";
export type { RepairedCounts } from "./check/check-text.ts";
export { CheckExit, VERDICTS, type Verdict, verdictOf } from "./check/verdict.ts";
export { check } from "./convert/check.ts";
export { compact } from "./convert/compact.ts";
export { convert, plan } from "./convert/convert.ts";
export { type DemoImage, makeDemoImage } from "./convert/demo-image.ts";
export type * from "./convert/options/options.ts";
export { sourceOptions } from "./convert/options/source-options.ts";
export { crossCheckMistake } from "./convert/proof/cross-check.ts";
export { checksum } from "./convert/reading/checksum.ts";
export { compare } from "./convert/reading/compare.ts";
export {
  type ChildInfo,
  type CommonInfo,
  type InfoReport,
  info,
  infoChain,
  type OvaInfo,
  type ParallelsInfo,
  type Qcow2Info,
  type QcowInfo,
  type QedInfo,
  type RawInfo,
  type VdiInfo,
  type VhdxInfo,
  type VmdkInfo,
  type VpcInfo,
} from "./convert/reading/info.ts";
export { infoText } from "./convert/reading/info-text.ts";
export { type Json, kebabKeys } from "./convert/reading/kebab-keys.ts";
export { type MapEntry, type MapReport, map, mapText } from "./convert/reading/map.ts";
export { type Unfinished, unfinished } from "./convert/reading/unfinished.ts";
export { resume, rollback } from "./convert/recover.ts";
export { refuseTakenName, renameImage } from "./convert/rename.ts";
export type * from "./convert/report/report.ts";
export { setmap } from "./convert/setmap.ts";
export type {
  LuksDetails,
  LuksSlot,
  OvaDetails,
  OvaMemberInfo,
  OvaSpecificInfo,
  ParallelsSpecificInfo,
  Qcow2BitmapInfo,
  Qcow2Details,
  Qcow2SpecificInfo,
  QcowSpecificInfo,
  QedSpecificInfo,
  RawSpecificInfo,
  VdiSpecificInfo,
  VhdxSpecificInfo,
  VmdkDetails,
  VmdkExtentInfo,
  VmdkSpecificInfo,
  VpcSpecificInfo,
} from "./formats/details.ts";
export {
  extensionsOf,
  formatNamed,
  formatNames,
  formatPromised,
  hasClusters,
  imageExtensions,
  imageMarks,
  nameFor,
} from "./formats/naming.ts";
export type { FileLayout, LayoutKind, LayoutRun } from "./image/file-layout.ts";
export type { CheckResult, Finding, FindingListener, FindingSeverity } from "./image/finding.ts";
export { PICTURE_LEGEND, pictureLine, pictureText } from "./image/layout-text.ts";
export type { Mark } from "./image/mark.ts";
export type { RepairScope } from "./image/repair.ts";
export type { SnapshotInfo } from "./image/specific-info.ts";
export type { TargetOption } from "./image/target-options.ts";
export type { RearrangeGoal } from "./plan/path.ts";
export { changeTexts, type GuestChange, type PathStep, stepTexts, wayBackText } from "./plan/path-text.ts";
