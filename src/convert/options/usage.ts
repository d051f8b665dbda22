/** What is wrong with a conversion's options whatever the image: all of it at once, before an image is opened. */

import { MiB } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { COMMAND_LINE, option, say, sentenceOf, type Vocabulary, type Words } from "../../bytes/sentence.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import type { ConversionOptions } from "../../image/source.ts";
import { DISK_ALONE } from "../../image/source.ts";
import { isPlain } from "./given-options.ts";
import {
  convertRules,
  knownFormat,
  type LookedAt,
  lookAtOptions,
  pathMistakes,
  refuseMistakes,
} from "./option-rules.ts";
import type { ConvertOptions } from "./options.ts";
import { parseTargetOptions } from "./target-options.ts";

/** An image that every target takes: what it refuses here, it refuses for all. */
const PLAIN_SOURCE: ConversionOptions = {
  ...DISK_ALONE,
  format: "raw",
  virtualSize: MiB,
  clusterSize: 64 * 1024,
  clustersPerTable: 0,
  sharingSize: 64 * 1024,
  usedHeader: new RangeSet(),
};

/**
 * The mistakes that `convert` would throw as UsageError, one sentence each; empty where there are none.
 * `targetFormat` undefined leaves the target's options unchecked. `vocabulary` is the caller's, who calls options otherwise.
 */
export function usageMistakes(
  targetFormat: string | undefined,
  options: ConvertOptions = {},
  vocabulary: Vocabulary = COMMAND_LINE,
): readonly string[] {
  const looked = lookAtOptions("convert", convertRules, options);
  return mistakesFor(targetFormat, looked).map((mistake) => sentenceOf(mistake).in(vocabulary));
}

function mistakesFor(targetFormat: string | undefined, looked: LookedAt<ConvertOptions>): readonly Words[] {
  const { given } = looked;
  const mistakes = [...looked.mistakes];
  const add = (mistake: Words) => {
    if (!mistakes.some((known) => `${known}` === `${mistake}`)) mistakes.push(mistake);
  };
  const attempt = <T>(check: () => T): T | undefined => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      add(error.sentence);
      return undefined;
    }
  };
  if (given.reproducible === true && given.checksum === "none")
    add(
      say`Cannot make ids of the guest's digest with ${option("checksum", "none")}: take one, or leave ${option("reproducible")} out`,
    );
  if (targetFormat === undefined) return mistakes;
  const wrongFormat = knownFormat(targetFormat, "the target format");
  if (wrongFormat !== undefined) add(wrongFormat);
  const target = wrongFormat === undefined ? attempt(() => targetDriverOf(targetFormat)) : undefined;
  if (target === undefined) return mistakes;
  // One at a time, since a parser stops at its first mistake; what is no text has been told.
  const usable: Record<string, string> = {};
  for (const [name, text] of Object.entries(isPlain(given.options) ? given.options : {})) {
    if (typeof text !== "string") continue;
    if (attempt(() => parseTargetOptions(targetFormat, target, { [name]: text }))) usable[name] = text;
  }
  const values = parseTargetOptions(targetFormat, target, usable);
  const draft = attempt(() => target.openConversionTarget(PLAIN_SOURCE, values, new Set()));
  if (given.compress) {
    const reasons = target.encodingRefusals === undefined ? ["it stores nothing compressed"] : [];
    const refused = draft === undefined ? [] : (target.encodingRefusals?.(draft) ?? []);
    for (const reason of [...reasons, ...refused]) add(say`Cannot compress ${targetFormat}: ${reason}`);
  }
  return mistakes;
}

/**
 * Throws one UsageError for all that is wrong with a conversion's words and options; nothing has been opened then. Answers the options
 * to be used in place of those that were given: what was read of them once, by `convertRules`.
 */
export function conversionOptions(
  command: "convert" | "plan",
  path: string,
  targetFormat: string,
  looked: LookedAt<ConvertOptions>,
): ConvertOptions {
  const { given } = looked;
  const found = mistakesFor(targetFormat, looked);
  const mistakes = [...pathMistakes(path), ...(targetFormat === undefined ? [NO_TARGET] : []), ...found];
  if (mistakes.length === 0 && given.ignoreUnfinished && command === "convert" && !given.dryRun) {
    mistakes.push("Cannot ignore what is unfinished in a conversion: resume it or roll it back first");
  }
  refuseMistakes(mistakes);
  return given;
}

const NO_TARGET = "Cannot go on without a target format: name one, e.g. qcow2";
