/** The one error that every layer throws: what is wrong, where in which image, and what to do, each apart. */
import { type CommandReference, Sentence, type Vocabulary, type Words } from "./sentence.ts";
export type ImageErrorKind = "io" | "not-this-format" | "unsupported" | "corrupt" | "out-of-bounds" | "no-space" | "in-use" | "changed-underneath" | "verification-failed" | "interrupted";
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
export interface ImageErrorDetails extends ImageErrorFacts, ImageErrorWords {
}
/**
 * An image or its storage does not allow what was asked.
 *
 * Messages are active and name the thing, the place and the remedy, without a full stop:
 * "Cannot map L2 table 3: host offset 0x1f0000 lies outside the file".
 */
export declare class ImageError extends Error {
    #private;
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
    constructor(kind: ImageErrorKind, what: Words, details?: ImageErrorDetails);
    /** What was said first: what could not be done, or all that is wrong. */
    get what(): Sentence;
    /** What is wrong, without what could not be done and without advice. */
    get problem(): Sentence;
    /** What to do; of several each is enough. Empty where nothing is known. */
    get remedies(): readonly Sentence[];
    /** The reasons as values. */
    get refusals(): readonly Sentence[];
    /** All but which commands go on. */
    get statement(): Sentence;
    /** All but what could not be done; undefined where that is not said apart. */
    get reason(): Sentence | undefined;
    /** As `message`, to be told in another vocabulary. */
    get sentence(): Sentence;
    /** Where and how it came about, for an error in its place that says something else. */
    get facts(): ImageErrorFacts;
    /** What it says, for an error in its place that says the same and more. */
    get words(): ImageErrorWords;
    /** The same error with one thing more to do, where that is known only now. */
    advising(remedy: Words): ImageError;
    /** The same error with a word more on the state in which the image is left. */
    leaving(state: Words, details: ImageErrorFacts & Pick<ImageErrorWords, "nextSteps">): ImageError;
}
/** The caller asked for something that does not exist or contradicts itself (exit code 2). */
export declare class UsageError extends Error {
    readonly name = "UsageError";
    /** As `message`, to be told in another vocabulary. */
    readonly sentence: Sentence;
    constructor(words: Words);
}
/** What an error says, in a face's own words; undefined for one that is none of ours. */
export declare function told(error: unknown, vocabulary: Vocabulary): string | undefined;
/** `0x1f0000`, as qemu-img writes addresses. */
export declare function hex(address: number): string;
