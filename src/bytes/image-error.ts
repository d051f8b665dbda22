/** The one error that every layer throws: what is wrong, where in which image, and what to do, each apart. */

import {
  type CommandReference,
  either,
  joined,
  Sentence,
  say,
  sentenceOf,
  type Vocabulary,
  type Words,
} from "./sentence.ts";

export type ImageErrorKind =
  | "io"
  | "not-this-format"
  | "unsupported"
  | "corrupt"
  | "out-of-bounds"
  | "no-space"
  | "in-use"
  | "changed-underneath"
  | "verification-failed"
  | "interrupted";

/** What an error says beside its first words, each apart; `message` is all of it in one sentence. */
export interface ImageErrorWords {
  /** What is wrong, where the first words only say what could not be done: `Cannot open disk.img`. */
  readonly because?: Words | undefined;
  /** What to do; of several each is enough. */
  readonly remedy?: Words | readonly Words[] | undefined;
  /** In what state the image is left: `nothing was written`. */
  readonly state?: Words | undefined;
  /** The commands that go on, where a journal stands. */
  readonly nextSteps?: NextSteps | undefined;
}

/** The commands that go on with an image whose journal stands. */
export interface NextSteps {
  readonly finish: CommandReference;
  /** Absent where there is no way back any more. */
  readonly putBack?: CommandReference | undefined;
}

export interface ImageErrorFacts {
  /** Format name as qemu-img spells it, e.g. `qcow2`. */
  readonly format?: string | undefined;
  /** The image's path as the user named it. */
  readonly path?: string | undefined;
  /** The structure in the specification's words, e.g. `L2 table 3`. */
  readonly structure?: string | undefined;
  /** Byte address in the file. */
  readonly hostOffset?: number | undefined;
  /** Byte address in the guest's disk. */
  readonly guestOffset?: number | undefined;
  /** What was being done, e.g. `read`, `sync`, `commit`. */
  readonly operation?: string | undefined;
  /** All reasons of a refusal, one sentence each; `message` is then their summary. */
  readonly reasons?: readonly Words[] | undefined;
  /** The journal that stands: the image is neither finished nor put back, and resume or rollback goes on. */
  readonly journal?: string | undefined;
  /** True where something had been written and the image was put back as it was. */
  readonly rolledBack?: boolean | undefined;
  /** True where what was asked for is not there: the file, or what `resume` and `rollback` would go on with. */
  readonly isMissing?: boolean | undefined;
  readonly cause?: unknown;
}

export interface ImageErrorDetails extends ImageErrorFacts, ImageErrorWords {}

/**
 * An image or its storage does not allow what was asked.
 *
 * Messages are active and name the thing, the place and the remedy, without a full stop:
 * "Cannot map L2 table 3: host offset 0x1f0000 lies outside the file".
 */
export class ImageError extends Error {
  readonly kind: ImageErrorKind;
  readonly format: string | undefined;
  readonly path: string | undefined;
  readonly structure: string | undefined;
  readonly hostOffset: number | undefined;
  readonly guestOffset: number | undefined;
  readonly operation: string | undefined;
  readonly reasons: readonly string[];
  readonly journal: string | undefined;
  readonly rolledBack: boolean;
  readonly isMissing: boolean;
  // Not fields: a copy of an error's fields says where it came about, and says nothing twice.
  readonly #what: Words;
  readonly #words: ImageErrorWords;
  readonly #refusals: readonly Sentence[];

  constructor(kind: ImageErrorKind, what: Words, details: ImageErrorDetails = {}) {
    super(wholeOf(what, details).toString(), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ImageError";
    this.kind = kind;
    this.format = details.format;
    this.path = details.path;
    this.structure = details.structure;
    this.hostOffset = details.hostOffset;
    this.guestOffset = details.guestOffset;
    this.operation = details.operation;
    this.#refusals = (details.reasons ?? []).map(sentenceOf);
    this.reasons = this.#refusals.map(String);
    this.journal = details.journal;
    this.rolledBack = details.rolledBack ?? false;
    this.isMissing = details.isMissing ?? false;
    const { because, remedy, state, nextSteps } = details;
    this.#what = what;
    this.#words = { because, remedy, state, nextSteps };
  }

  /** What was said first: what could not be done, or all that is wrong. */
  get what(): Sentence {
    return sentenceOf(this.#what);
  }

  /** What is wrong, without what could not be done and without advice. */
  get problem(): Sentence {
    return sentenceOf(this.#words.because ?? this.#what);
  }

  /** What to do; of several each is enough. Empty where nothing is known. */
  get remedies(): readonly Sentence[] {
    return [this.#words.remedy ?? []].flat().map(sentenceOf);
  }

  /** The reasons as values. */
  get refusals(): readonly Sentence[] {
    return this.#refusals;
  }

  /** All but which commands go on. */
  get statement(): Sentence {
    return statementOf(this.what, this.words);
  }

  /** All but what could not be done; undefined where that is not said apart. */
  get reason(): Sentence | undefined {
    const { because, ...rest } = this.words;
    return because === undefined ? undefined : wholeOf(because, rest);
  }

  /** As `message`, to be told in another vocabulary. */
  get sentence(): Sentence {
    return wholeOf(this.what, this.words);
  }

  /** Where and how it came about, for an error in its place that says something else. */
  get facts(): ImageErrorFacts {
    const { format, path, structure, hostOffset, guestOffset, operation, journal, rolledBack, isMissing } = this;
    const place = { format, path, structure, hostOffset, guestOffset, operation };
    return { ...place, reasons: this.refusals, journal, rolledBack, isMissing };
  }

  /** What it says, for an error in its place that says the same and more. */
  get words(): ImageErrorWords {
    return this.#words;
  }

  /** The same error with one thing more to do, where that is known only now. */
  advising(remedy: Words): ImageError {
    const remedies = this.remedies.length === 0 ? [] : [either(this.remedies)];
    const all = joined([...remedies, remedy], "; ");
    return new ImageError(this.kind, this.what, { ...this.facts, ...this.words, remedy: all, cause: this });
  }

  /** The same error with a word more on the state in which the image is left. */
  leaving(state: Words, details: ImageErrorFacts & Pick<ImageErrorWords, "nextSteps">): ImageError {
    const said = this.words.state;
    const both = said === undefined ? state : joined([said, state], "; ");
    return new ImageError(this.kind, this.what, { ...this.facts, ...this.words, cause: this, ...details, state: both });
  }
}

function statementOf(what: Words, { because, remedy = [], state }: ImageErrorWords): Sentence {
  const remedies = [remedy].flat();
  const problem = because === undefined ? what : say`${what}: ${because}`;
  return joined(
    [problem, ...(remedies.length > 0 ? [either(remedies)] : []), ...(state === undefined ? [] : [state])],
    "; ",
  );
}

function wholeOf(what: Words, words: ImageErrorWords): Sentence {
  const statement = statementOf(what, words);
  if (words.nextSteps === undefined) return statement;
  const { finish, putBack } = words.nextSteps;
  const back = putBack === undefined ? "" : say`, or ${new Sentence([putBack])} to put it back`;
  return say`${statement}: run ${new Sentence([finish])} to finish${back}`;
}

/** The caller asked for something that does not exist or contradicts itself (exit code 2). */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** As `message`, to be told in another vocabulary. */
  readonly sentence: Sentence;

  constructor(words: Words) {
    super(String(words));
    this.sentence = sentenceOf(words);
  }
}

/** What an error says, in a face's own words; undefined for one that is none of ours. */
export function told(error: unknown, vocabulary: Vocabulary): string | undefined {
  return error instanceof ImageError || error instanceof UsageError ? error.sentence.in(vocabulary) : undefined;
}

/** `0x1f0000`, as qemu-img writes addresses. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
