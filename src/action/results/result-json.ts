/** A result in the JSON of outputs and reports, and read back where another job wrote it: the same tables do both. */

import {
  CheckExit,
  type CheckReport,
  type CheckResult,
  type ConversionReport,
  type Finding,
  type GuestChange,
  type GuestChecksum,
  kebabKeys,
  type LeaksGivenUp,
  type PathStep,
  VERDICTS,
  type Verdict,
  verdictOf,
} from "../../index.ts";
import { type Download, type ImageFailure, type ImageResult, nameNow } from "./image-result.ts";
import {
  count,
  counts,
  type Field,
  flag,
  isFields,
  type JsonObject,
  list,
  number,
  optional,
  orNull,
  table,
  text,
  unwritten,
  word,
  writtenOnly,
} from "./json-fields.ts";

const FINDING = table<Finding>({
  severity: word(["corruption", "leak", "warning", "error"], "error"),
  kind: text,
  structure: text,
  message: text,
  guestOffset: optional(number),
  hostOffset: optional(number),
  refcount: optional(number),
  references: optional(number),
  line: writtenOnly(optional(text), undefined),
});

const CHECK_RESULT = table<CheckResult>({
  corruptions: count,
  leaks: count,
  checkErrors: count,
  warnings: count,
  imageEndOffset: count,
  totalClusters: count,
  allocatedClusters: count,
  fragmentedClusters: count,
  compressedClusters: count,
  findings: list(FINDING),
});

const GUEST_CHECKSUM = table<GuestChecksum>({
  algorithm: word(["blkhash-sha256", "sha256"], "blkhash-sha256"),
  covers: word(["guest", "layer"], "guest"),
  before: orNull(text),
  after: orNull(text),
});

const PATH_STEP: Field<PathStep> = {
  write: (step) => ({ ...step }),
  read: (json) => readStep(json),
  absent: { step: "switch", to: "" },
};

function readStep(json: unknown): PathStep | undefined {
  const { step, to, goal } = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  if (step === "switch" && typeof to === "string") return { step, to };
  const goals = ["linear", "gather", "zeros", "compact", "encode", "pack", "relocate"] as const;
  const known = goals.find((each) => each === goal);
  return step === "rearrange" && known !== undefined ? { step, goal: known } : undefined;
}

const CONVERSION = table<ConversionReport>({
  image: text,
  imageAfter: optional(text),
  diskFile: optional(text),
  sourceFormat: text,
  targetFormat: text,
  changed: flag,
  virtualSize: count,
  clusterSize: count,
  guestDataBytes: count,
  bytesWritten: count,
  bytesMoved: count,
  bytesSettled: count,
  peakExtraBytes: count,
  syncs: count,
  fileSizeBefore: count,
  fileSizeAfter: count,
  actualSizeBefore: optional(count),
  actualSizeAfter: optional(count),
  guestChecksum: orNull(GUEST_CHECKSUM),
  check: table<ConversionReport["check"]>({ before: orNull(CHECK_RESULT), after: orNull(CHECK_RESULT) }),
  path: list(PATH_STEP),
  guestChanges: optional(list(table<GuestChange>({ guestOffset: count, length: count, what: text }))),
  dropped: list(text),
  leaksGivenUp: optional(table<LeaksGivenUp>({ clusters: count, bytes: count, isSuspicious: flag })),
  // Read as the failure's reasons.
  refused: writtenOnly(list(text), []),
  rolledBack: flag,
  milliseconds: counts,
  notes: list(text),
  layout: unwritten,
});

/** Of a check what stands beside qemu-img's fields. */
interface CheckWork
  extends Pick<CheckReport, "changed" | "losses" | "givenUp" | "bytesWritten" | "syncs" | "milliseconds"> {
  readonly checkResult?: Verdict;
}

const CHECK_WORK = table<CheckWork>({
  checkResult: optional(word(VERDICTS, "clean")),
  changed: flag,
  losses: list(text),
  givenUp: list(text),
  bytesWritten: count,
  syncs: count,
  milliseconds: counts,
});

/** Of qemu-img's fields those that are no part of a check's result; `image` where it is not told elsewhere. */
interface CheckNames extends Pick<CheckReport, "image" | "format" | "leaksFixed" | "corruptionsFixed"> {
  readonly filename: string;
}

const CHECK_NAMES = table<CheckNames>({
  image: text,
  filename: text,
  format: text,
  leaksFixed: count,
  corruptionsFixed: count,
});

const DOWNLOAD = table<Download>({ url: text, digest: text, bytes: count, fromCache: flag, warnings: list(text) });

type Failure = Omit<ImageFailure, "reasons">;

/** What it has beside these is its details. */
const FAILURE: Field<Failure | undefined> = {
  write: (failure) => {
    const { kind, message, advice, details = {} } = failure ?? {};
    return failure && kebabKeys({ kind, message, advice, ...details });
  },
  read: (json) => {
    if (!isFields(json)) return undefined;
    const { kind, message, advice, ...details } = json;
    return {
      kind: text.read(kind) || "failed",
      message: text.read(message) ?? "",
      advice: text.read(advice) ?? "",
      details,
    };
  },
  absent: undefined,
};

/** What only the action knows of an image. */
interface Own {
  /** Where it is now. */
  readonly image: string;
  readonly renamedFrom?: string | undefined;
  readonly recovery?: string | undefined;
  /** Of the file itself. */
  readonly sha256File?: string | undefined;
  readonly download?: Download | undefined;
  readonly error?: Failure | undefined;
  /** The failure's reasons. */
  readonly refused?: readonly string[] | undefined;
  readonly notes: readonly string[];
}

const OWN = table<Own>({
  image: text,
  renamedFrom: optional(text),
  recovery: optional(text),
  sha256File: optional(text),
  download: optional(DOWNLOAD),
  error: FAILURE,
  refused: optional(list(text)),
  notes: list(text),
});

/** As `inplace-convert convert` or `check --output json` prints it, with what only the action knows; pictures are the page's. */
export function resultJson(result: ImageResult): JsonObject {
  const { report, check, download, failure, recovery, files } = result;
  const image = result.path ?? result.image;
  const renamedFrom = nameNow(result) === undefined ? undefined : result.image;
  const refused = failure && failure.reasons.length > 0 ? failure.reasons : undefined;
  const ofCheck = check && checkJson(check);
  return {
    ...OWN.write({ image, renamedFrom, recovery, sha256File: files?.[0]?.sha256, download }),
    ...(report && CONVERSION.write({ ...report, image })),
    ...OWN.write({ error: failure, refused }),
    // A conversion has checks of its own; this one is of the repair that came first.
    ...(report && ofCheck ? { repair: ofCheck } : ofCheck),
    ...OWN.write({ notes: [...(report?.notes ?? check?.notes ?? []), ...(result.notes ?? [])] }),
  };
}

/** qemu-img's fields, then what a repair did. */
function checkJson(report: CheckReport): JsonObject {
  const { json, verdict, changed, losses, givenUp, bytesWritten, syncs, milliseconds } = report;
  const work = { checkResult: verdict, changed, losses, givenUp, bytesWritten, syncs, milliseconds };
  return { ...(json as JsonObject), ...CHECK_WORK.write(work) };
}

/** The file may be anyone's: what has another type counts as absent. */
export function resultOfJson(json: object): ImageResult {
  const fields = json as Readonly<Record<string, unknown>>;
  const own = OWN.read(json) ?? OWN.absent;
  const { image: path, renamedFrom, recovery, sha256File, download, error, refused = [], notes } = own;
  const isConversion = typeof fields["source-format"] === "string";
  const check = isConversion ? fields.repair : typeof fields["check-errors"] === "number" ? fields : undefined;
  const isNowhere =
    /^https?:\/\//.test(path) ||
    (error?.kind === "report" && !("path" in error.details) && /^(?:all )?shard/.test(path));
  return {
    image: renamedFrom || path,
    path: isNowhere ? undefined : path,
    report: isConversion ? CONVERSION.read(json) : undefined,
    ...(isFields(check) ? { check: checkOf(check) } : {}),
    ...(isConversion || isFields(check) ? {} : { notes }),
    ...(sha256File === undefined ? {} : { files: [{ path, sha256: sha256File }] }),
    ...(download && { download }),
    failure: error && { ...error, reasons: refused },
    recovery,
  };
}

function checkOf(fields: Readonly<Record<string, unknown>>): CheckReport {
  const { checkResult, ...work } = CHECK_WORK.read(fields) ?? CHECK_WORK.absent;
  const { filename, ...names } = CHECK_NAMES.read(fields) ?? CHECK_NAMES.absent;
  const result = CHECK_RESULT.read(fields) ?? CHECK_RESULT.absent;
  const verdict = checkResult ?? verdictOf(result);
  const ofAction = [...OWN.names, ...CHECK_WORK.names];
  return {
    ...result,
    ...names,
    image: names.image || filename,
    verdict,
    exitCode: CheckExit[verdict],
    ...work,
    json: Object.fromEntries(Object.entries(fields).filter(([name]) => !ofAction.includes(name))),
    fixedText: "",
    text: "",
    notes: OWN.read(fields)?.notes ?? [],
  };
}
