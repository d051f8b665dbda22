/** What qemu-img and the library say of one image, and in what they are meant to differ. */

import type { ImageError } from "../../src/bytes/image-error.ts";
import type { Finding } from "../../src/image/finding.ts";

export interface Verdict {
  readonly exitCode: number;
  /** What goes to stderr; of a refusal only that there is one. */
  readonly lines: readonly string[];
  /** The JSON's numbers; undefined where the image was refused. */
  readonly numbers: Readonly<Record<string, number>> | undefined;
  readonly text: string | undefined;
}

export interface OurVerdict extends Verdict {
  readonly findings: readonly Finding[];
  readonly refusal: ImageError | undefined;
}

/** One damaged image, judged by both. */
export interface JudgedImage {
  readonly bytes: Buffer;
  readonly theirs: Verdict;
  readonly ours: OurVerdict;
}

export interface KnownDifference {
  readonly name: string;
  /** Most of a thousand mutants that may differ so; more means that something else does. */
  readonly mostInThousand: number;
  isIt(found: JudgedImage): boolean;
}

/** Both can't be asked for: a refusal of theirs has words, one of ours an error. */
export const theySay = ({ theirs }: JudgedImage, words: RegExp) =>
  theirs.numbers === undefined && words.test(theirs.lines.join("\n"));
export const weRefuse = ({ theirs, ours }: JudgedImage, words: RegExp) =>
  theirs.numbers !== undefined && ours.refusal !== undefined && words.test(ours.refusal.message);
