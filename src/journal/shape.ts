/** What a record must look like before it is believed: a whole frame proves that somebody wrote it, not that we did. */

import { MiB, SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import { whyNoPlainName } from "../bytes/plain-name.ts";
import { imageNamed, say } from "../bytes/sentence.ts";
import { isChangedDisk } from "./changed-disk.ts";
import { damagedJournal } from "./damage.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts, Intent, Prepared, RearrangeIntent, RepairIntent, Wishes } from "./records.ts";

type Test = (value: unknown) => boolean;
type Shape<T> = { readonly [Field in keyof T]-?: Test };

const text: Test = (value) => typeof value === "string";
const flag: Test = (value) => typeof value === "boolean";
const size: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const oneOf =
  (...values: readonly unknown[]): Test =>
  (value) =>
    values.includes(value);
const orNull =
  (test: Test): Test =>
  (value) =>
    value === null || test(value);
const absentOr =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const texts: Test = (value) => isObject(value) && Object.values(value).every(text);
/** What leads to no other folder. */
const isPlain: Test = (value) => typeof value === "string" && whyNoPlainName(value) === undefined;
const isCommitName: Test = (value) =>
  isObject(value) && isPlain(value.name) && flag(value.comes) && size(value.length) && (value.length as number) <= MiB;
/** An address and a length, or two addresses. */
const pair: Test = (value) => Array.isArray(value) && value.length === 2 && value.every(size);

const wishes: Shape<Wishes> = {
  compact: flag,
  compress: flag,
  sparseSize: size,
  reproducible: flag,
  maxExtraSpace: orNull(size),
};
const areWishes: Test = (value) => isObject(value) && Object.entries(wishes).every(([name, test]) => test(value[name]));
const journey: Test = (value) =>
  isObject(value) &&
  text(value.originFormat) &&
  texts(value.originOptions) &&
  text(value.goalFormat) &&
  texts(value.goalOptions) &&
  areWishes(value.wishes) &&
  size(value.stepsTaken) &&
  absentOr(isChangedDisk)(value.changed) &&
  absentOr(oneOf(true))(value.hasCopy);

const isSectorInHex = (value: unknown) => text(value) && /^(?:[0-9a-f]{2}){1,512}$/.test(value as string);

/** Settings that every step of a conversion has. */
const settings = {
  drop: listOf(text),
  keepLeaks: flag,
  keepUndo: flag,
  verify: oneOf("full", "mapping"),
  check: flag,
  checksum: oneOf("blkhash-sha256", "sha256", "none"),
  backingChain: flag,
  guestDigest: orNull(text),
  sidecar: absentOr(isPlain),
  oldFileSize: size,
};

/** Every kind of record, and every field that it has. */
const SHAPES: { readonly [Kind in Facts["record"]]: Shape<Omit<Extract<Facts, { record: Kind }>, "record">> } = {
  intent: {
    version: oneOf(1),
    purpose: oneOf("convert", "roll-back", "setmap"),
    sourceFormat: text,
    targetFormat: text,
    options: texts,
    ...settings,
    journey: absentOr(journey),
    wishes: absentOr(areWishes),
    cutTo: absentOr(size),
    sourceInOnePiece: absentOr(flag),
    targetInOnePiece: absentOr(flag),
    frontDigest: absentOr(text),
    commitKind: absentOr(oneOf("length", "name")),
    commitName: absentOr(isCommitName),
    alsoHolds: absentOr(listOf(text)),
    sourceEnd: absentOr(size),
    anchor: absentOr(isSectorInHex),
    takesOver: absentOr(flag),
    sourceOptions: texts,
    metadataDigest: text,
    fileSize: size,
    savedLength: size,
    commitHostOffset: absentOr(size),
    extras: listOf(pair),
  },
  repair: {
    version: oneOf(1),
    format: text,
    scope: oneOf("leaks", "all"),
    allowDataLoss: flag,
    keepUndo: flag,
    oldFileSize: size,
    fileSize: size,
    metadataDigest: orNull(text),
    added: absentOr(listOf(pair)),
    guestDigests: absentOr(listOf(text)),
    steps: listOf((step) => isObject(step) && text(step.purpose) && listOf(pair)(step.patches)),
  },
  rearrange: {
    version: oneOf(1),
    purpose: oneOf("convert", "roll-back"),
    format: text,
    goal: oneOf("linear", "gather", "zeros", "compact", "encode", "pack", "relocate"),
    ...settings,
    journey,
  },
  prepared: { added: listOf(pair), addedDigest: text },
  verified: { undoGivenUp: flag },
  "new-header": {},
  "found-header": {},
  "rolled-back": {},
  restoring: { format: text, digest: text },
  pointer: { path: (value) => text(value) && value !== "" && !(value as string).includes("\0") },
};

const FIRST = new Set(["intent", "repair", "rearrange", "pointer"]);

/**
 * Throws `corrupt` for records that we don't write, `unsupported` for those of a kind that only another version may
 * know. A first record of another version or kind is left to whoever reads it.
 */
export function refuseOddRecords(records: readonly JournalRecord[], path: string, beside: string): void {
  for (const [at, { facts, blob }] of records.entries()) {
    const refusal = (what: string) =>
      damagedJournal(path, `its record ${at} ${what}`, beside, { structure: `journal record ${at}` });
    if (!isObject(facts) || typeof facts.record !== "string") throw refusal("says nothing that we write");
    const kind = facts.record;
    const isKnown = Object.hasOwn(SHAPES, kind);
    if (at === 0 && (!isKnown || (facts.version ?? 1) !== 1)) return;
    if (!isKnown) throw anotherVersions(path, at, beside);
    if (FIRST.has(kind) !== (at === 0)) throw refusal(`is out of place (${kind})`);
    const shape: Readonly<Record<string, Test>> = SHAPES[kind as Facts["record"]];
    for (const [field, test] of Object.entries(shape)) {
      if (!test(facts[field])) throw refusal(`has no valid ${field}`);
    }
    if (!hasBlobFor(facts as unknown as Facts, blob)) throw refusal("does not hold the bytes that it tells of");
    const misplaced = misplacedIn(facts as unknown as Facts, records[0]?.facts as FirstFacts);
    if (misplaced !== undefined) throw refusal(`says ${misplaced} where none can be`);
  }
}

type FirstFacts = Intent | RepairIntent | RearrangeIntent;

/** What lies outside the file, or where we never write, by the word of the record and of the journal's first one. */
function misplacedIn(facts: Facts, first: FirstFacts): string | undefined {
  if (first.record === "rearrange") return undefined;
  const { oldFileSize, fileSize } = first;
  // A setmap's also tells of the range that the guest is pointed at, wherever that lies; and who fills holes, of those.
  const isAnywhere = first.record === "intent" && (first.purpose === "setmap" || first.takesOver === true);
  const areAdded = (ranges: Prepared["added"]) => ascend(ranges, oldFileSize, fileSize);
  switch (facts.record) {
    case "intent": {
      const { sourceEnd = oldFileSize } = facts;
      return oldFileSize <= sourceEnd && sourceEnd <= fileSize ? undefined : "an end of file";
    }
    case "repair": {
      if (oldFileSize > fileSize) return "an end of file";
      if (!areAdded(facts.added ?? [])) return "something added";
      return facts.steps.every((step) => arePatches(step.patches, oldFileSize)) ? undefined : "something overwritten";
    }
    case "prepared":
      return areAdded(facts.added) || (isAnywhere && ascend(facts.added, 0, fileSize)) ? undefined : "something added";
    default:
      return undefined;
  }
}

/** Whole sectors, but where the file ends. */
function arePatches(patches: RepairIntent["steps"][number]["patches"], oldFileSize: number): boolean {
  const ranges = patches.map(([hostOffset, length]) => [hostOffset, hostOffset + length] as const);
  const isWhole = ([start, end]: readonly [number, number]) =>
    start % SECTOR_SIZE === 0 && (end % SECTOR_SIZE === 0 || end === oldFileSize);
  return ascend(ranges, 0, oldFileSize) && ranges.every(isWhole);
}

function ascend(ranges: Prepared["added"], from: number, to: number): boolean {
  let last = from;
  for (const [start, end] of ranges) {
    if (start < last || end <= start || end > to) return false;
    last = end;
  }
  return true;
}

function anotherVersions(path: string, at: number, beside: string): ImageError {
  return new ImageError("unsupported", say`Cannot read the journal ${imageNamed(path)}`, {
    because: "it was made by another version",
    remedy: "use that version",
    path,
    structure: `journal record ${at}`,
    journal: beside,
  });
}

/** The bytes behind the facts are as many as the facts say, and lie where they may. */
function hasBlobFor(facts: Facts, blob: Uint8Array): boolean {
  switch (facts.record) {
    case "intent":
      return hasIntentParts(facts, blob);
    case "repair":
      return blob.length === 2 * facts.steps.reduce((sum, step) => sum + patchedBytes(step.patches), 0);
    case "rearrange":
      return blob.length >= SECTOR_SIZE && blob.length <= MAX_SAVED_LENGTH;
    case "new-header":
      return blob.length === SECTOR_SIZE;
    case "found-header":
      return blob.length >= SECTOR_SIZE && blob.length <= MAX_SAVED_LENGTH;
    default:
      return true;
  }
}

/** More than any header area; so much is allocated on the record's word. */
const MAX_SAVED_LENGTH = 128 * 1024 * 1024;

function hasIntentParts({ savedLength, commitHostOffset = 0, extras, ...intent }: Intent, blob: Uint8Array): boolean {
  const { commitName: named } = intent;
  const known = (named?.length ?? SECTOR_SIZE) + patchedBytes(extras);
  const isLength = intent.commitKind === "length";
  const isName = intent.commitKind === "name" && commitHostOffset === 0 && extras.length === 0;
  const isFooter = isLength
    ? commitHostOffset + SECTOR_SIZE === intent.oldFileSize
    : commitHostOffset === intent.fileSize;
  return (
    savedLength <= MAX_SAVED_LENGTH &&
    commitHostOffset % SECTOR_SIZE === 0 &&
    (named !== undefined) === (intent.commitKind === "name") &&
    (isName || isFooter || (!isLength && commitHostOffset + SECTOR_SIZE <= savedLength)) &&
    extras.every(([hostOffset, length]) => hostOffset + length <= savedLength) &&
    blob.length >= known &&
    blob.length <= known + savedLength
  );
}

function patchedBytes(patches: RepairIntent["steps"][number]["patches"]): number {
  return patches.reduce((sum, [, length]) => sum + length, 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
