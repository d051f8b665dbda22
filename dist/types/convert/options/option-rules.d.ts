/**
 * What each public function's options may be, asked at run time by the command line's own rules: a caller without types
 * must not get another thing than was asked for, and consent to write or to lose something is exact.
 */
import { type Words } from "../../bytes/sentence.ts";
import type { CheckOptions, ChecksumOptions, CompactOptions, CompareOptions, ConvertOptions, OpenOptions, RecoveryOptions } from "./options.ts";
/** Says what is wrong with a value that was given, one sentence; undefined where it is right. */
type Rule = (value: unknown, name: string) => Words | undefined;
/** Every option of `T` has its rule: one that is forgotten doesn't compile. */
export type OptionRules<T> = {
    readonly [Name in keyof Required<T>]: Rule;
};
export declare const openRules: OptionRules<OpenOptions>;
export declare const recoveryRules: OptionRules<RecoveryOptions>;
export declare const checksumRules: OptionRules<ChecksumOptions>;
export declare const compareRules: OptionRules<CompareOptions>;
export declare const crossCheckRules: OptionRules<Pick<CheckOptions, "crossCheck" | "signal">>;
export declare const checkRules: OptionRules<CheckOptions>;
export declare const compactRules: OptionRules<CompactOptions>;
export declare const convertRules: OptionRules<ConvertOptions>;
/** What was given, and one sentence for each option of it that `command` doesn't know or can't use. */
export interface LookedAt<T> {
    /** A copy (given-options.ts), to be used in place of what was given; empty where nothing of it can be used. */
    readonly given: T;
    readonly mistakes: readonly Words[];
}
export declare function lookAtOptions<T extends object>(command: string, rules: OptionRules<T>, options: unknown): LookedAt<T>;
/** One sentence where `path` can't name a file; empty where it can. */
export declare function pathMistakes(path: unknown, name?: string): Words[];
/** One sentence where `value` is no address or length in bytes; empty where it is. */
export declare function byteMistakes(value: unknown, name: string): Words[];
/** Throws one UsageError for all mistakes; nothing has been opened then. */
export declare function refuseMistakes(mistakes: readonly Words[]): void;
/** The options of a function that takes one image, to be used in place of those that were given. */
export declare function optionsOf<T extends object>(command: string, path: unknown, rules: OptionRules<T>, options: unknown): T;
export declare function knownFormat(value: unknown, name: string): Words | undefined;
export {};
