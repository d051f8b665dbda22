/**
 * What each public function's options may be, asked at run time by the command line's own rules: a caller without types
 * must not get another thing than was asked for, and consent to write or to lose something is exact.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import { joined, key, type Sentence, say, type Words } from "../../bytes/sentence.ts";
import { driverOf, openOptionOf } from "../../formats/registry.ts";
import { parseOptionValue } from "../../image/target-options.ts";
import { givenOptions, isPlain, shown } from "./given-options.ts";
import type {
  CheckOptions,
  ChecksumOptions,
  CompactOptions,
  CompareOptions,
  ConvertOptions,
  OpenOptions,
  RecoveryOptions,
} from "./options.ts";

/** Says what is wrong with a value that was given, one sentence; undefined where it is right. */
type Rule = (value: unknown, name: string) => Words | undefined;

/** Every option of `T` has its rule: one that is forgotten doesn't compile. */
export type OptionRules<T> = { readonly [Name in keyof Required<T>]: Rule };

/** What `--drop` can name. */
const DROPPABLE = ["bitmaps", "snapshots", "leaks"];
const ALGORITHMS = ["blkhash-sha256", "sha256"];

export const openRules: OptionRules<OpenOptions> = {
  format: knownFormat,
  options: openOptionTexts,
  backingChain: flag,
  allowMarkedRaw: flag,
  forceShare: flag,
  onProgress: callback,
  signal: abortSignal,
};

export const recoveryRules: OptionRules<RecoveryOptions> = { onProgress: callback, signal: abortSignal };

export const checksumRules: OptionRules<ChecksumOptions> = { ...openRules, algorithm: oneOf(ALGORITHMS) };

export const compareRules: OptionRules<CompareOptions> = {
  formatA: knownFormat,
  formatB: knownFormat,
  strict: flag,
  backingChain: flag,
  allowMarkedRaw: flag,
  forceShare: flag,
  onProgress: callback,
  signal: abortSignal,
};

export const crossCheckRules: OptionRules<Pick<CheckOptions, "crossCheck" | "signal">> = {
  crossCheck: oneOf(["off", "auto", "require"]),
  signal: abortSignal,
};

const writingRules = {
  ...openRules,
  ...crossCheckRules,
  keepUndo: flag,
  journal: pathText,
  onJournal: callback,
  layout: flag,
};

export const checkRules: OptionRules<CheckOptions> = {
  ...writingRules,
  repair: oneOf(["none", "leaks", "all"]),
  allowDataLoss: flag,
  onFinding: callback,
};

export const compactRules: OptionRules<CompactOptions> = {
  ...writingRules,
  checksum: oneOf([...ALGORITHMS, "none"]),
  guestChecksum: digest,
  verify: oneOf(["full", "mapping"]),
  sparseSize: sectorBytes,
  check: flag,
  maxExtraSpace: byteCount,
};

export const convertRules: OptionRules<ConvertOptions> = {
  ...compactRules,
  options: targetOptionTexts,
  dryRun: flag,
  ignoreUnfinished: flag,
  compress: flag,
  compact: flag,
  allowProbedGuest: flag,
  reproducible: flag,
  keepLeaks: flag,
  drop: droppable,
};

/** What was given, and one sentence for each option of it that `command` doesn't know or can't use. */
export interface LookedAt<T> {
  /** A copy (given-options.ts), to be used in place of what was given; empty where nothing of it can be used. */
  readonly given: T;
  readonly mistakes: readonly Words[];
}

export function lookAtOptions<T extends object>(command: string, rules: OptionRules<T>, options: unknown): LookedAt<T> {
  let given: Readonly<Record<PropertyKey, unknown>>;
  try {
    given = givenOptions(command, options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { given: Object.create(null), mistakes: [error.sentence] };
  }
  const mistakes = Reflect.ownKeys(given).flatMap((name) => {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof T] : undefined;
    if (rule === undefined) {
      return [say`Cannot use the option ${shown(name)}: ${command} knows ${joined(Object.keys(rules).map(key), ", ")}`];
    }
    const value = given[name];
    return (value === undefined ? undefined : rule(value, String(name))) ?? [];
  });
  return { given: given as T, mistakes };
}

/** One sentence where `path` can't name a file; empty where it can. */
export function pathMistakes(path: unknown, name = "path"): Words[] {
  return [pathText(path, name) ?? []].flat();
}

/** One sentence where `value` is no address or length in bytes; empty where it is. */
export function byteMistakes(value: unknown, name: string): Words[] {
  return [byteCount(value, name) ?? []].flat();
}

/** Throws one UsageError for all mistakes; nothing has been opened then. */
export function refuseMistakes(mistakes: readonly Words[]): void {
  const each = new Map(mistakes.map((mistake) => [String(mistake), mistake]));
  if (each.size > 0) throw new UsageError(joined([...each.values()], "; "));
}

/** The options of a function that takes one image, to be used in place of those that were given. */
export function optionsOf<T extends object>(
  command: string,
  path: unknown,
  rules: OptionRules<T>,
  options: unknown,
): T {
  const { given, mistakes } = lookAtOptions(command, rules, options);
  refuseMistakes([...pathMistakes(path), ...mistakes]);
  return given;
}

function mistake(name: string, value: unknown, expected: string): Sentence {
  return say`Cannot use ${shown(value)} for ${key(name)}: expected ${expected}`;
}

function flag(value: unknown, name: string): Words | undefined {
  return typeof value === "boolean" ? undefined : mistake(name, value, "true or false");
}

function callback(value: unknown, name: string): Words | undefined {
  return typeof value === "function" ? undefined : mistake(name, value, "a function");
}

function pathText(value: unknown, name: string): Words | undefined {
  const isPath = typeof value === "string" && value !== "" && !value.includes("\0");
  return isPath ? undefined : mistake(name, value, "the name of a file as text");
}

/** A number, since the type is one; `parseSize` makes one of `1k`. */
function byteCount(value: unknown, name: string): Words | undefined {
  const isCount = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  return isCount ? undefined : mistake(name, value, "a whole number of bytes, 0 or more");
}

/** What is smaller than a sector, or ends inside one, can be no hole. */
function sectorBytes(value: unknown, name: string): Words | undefined {
  const wrong = byteCount(value, name);
  if (wrong !== undefined || Number(value) % SECTOR_SIZE === 0) return wrong;
  return mistake(name, value, "a multiple of 512, or 0 to look at no data");
}

function oneOf(words: readonly string[]): Rule {
  const expected = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return (value, name) => (words.includes(value as string) ? undefined : mistake(name, value, expected));
}

/** Those of other realms are no instances of our class; what we look at is there in any. */
function abortSignal(value: unknown, name: string): Words | undefined {
  const isSignal = typeof (value as Partial<AbortSignal> | null)?.aborted === "boolean";
  return isSignal ? undefined : mistake(name, value, "an AbortSignal");
}

export function knownFormat(value: unknown, name: string): Words | undefined {
  if (typeof value !== "string" || value === "") return mistake(name, value, "a format by qemu-img's name");
  try {
    driverOf(value);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.sentence;
    throw error;
  }
}

/** Whether a target takes them is for the target to say. */
function targetOptionTexts(value: unknown, name: string): Words | undefined {
  if (!isPlain(value)) return mistake(name, value, "an object of texts, as -o has them");
  for (const [inner, text] of Object.entries(value)) {
    if (typeof text !== "string") return mistake(`${name}.${inner}`, text, "a text, as -o has it");
  }
  return undefined;
}

/** Of a source alone. */
function openOptionTexts(value: unknown, name: string): Words | undefined {
  const wrong = targetOptionTexts(value, name);
  if (wrong !== undefined) return wrong;
  for (const [inner, text] of Object.entries(value as Readonly<Record<string, string>>)) {
    const known = openOptionOf(inner);
    if (known === undefined) return `Cannot use option ${inner}: it says nothing of an image that is read`;
    try {
      parseOptionValue(known, text);
    } catch (error) {
      if (error instanceof UsageError) return error.sentence;
      throw error;
    }
  }
  return undefined;
}

function digest(value: unknown, name: string): Words | undefined {
  if (!isPlain(value)) return mistake(name, value, "an object of algorithm and hex");
  const [unknown] = Object.keys(value).filter((inner) => inner !== "algorithm" && inner !== "hex");
  if (unknown !== undefined) return say`Cannot use ${key(name)}.${unknown}: it knows algorithm and hex`;
  const wrongAlgorithm = oneOf(ALGORITHMS)(value.algorithm, `${name}.algorithm`);
  if (wrongAlgorithm !== undefined) return wrongAlgorithm;
  const isHex = typeof value.hex === "string" && /^[0-9a-f]{64}$/i.test(value.hex);
  return isHex ? undefined : mistake(`${name}.hex`, value.hex, "64 hex digits");
}

/** An array and nothing that only looks like one: each letter of a text would be a word. */
function droppable(value: unknown, name: string): Words | undefined {
  if (!Array.isArray(value)) return mistake(name, value, "an array of words");
  const unknown = value.filter((word) => !DROPPABLE.includes(word));
  if (unknown.length === 0) return undefined;
  const words = unknown.map((word) => (typeof word === "string" && word !== "" ? word : shown(word)));
  return `Cannot drop ${words.join(", ")}: expected bitmaps, snapshots or leaks`;
}
