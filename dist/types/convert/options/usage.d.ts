/** What is wrong with a conversion's options whatever the image: all of it at once, before an image is opened. */
import { type Vocabulary } from "../../bytes/sentence.ts";
import { type LookedAt } from "./option-rules.ts";
import type { ConvertOptions } from "./options.ts";
/**
 * The mistakes that `convert` would throw as UsageError, one sentence each; empty where there are none.
 * `targetFormat` undefined leaves the target's options unchecked. `vocabulary` is the caller's, who calls options otherwise.
 */
export declare function usageMistakes(targetFormat: string | undefined, options?: ConvertOptions, vocabulary?: Vocabulary): readonly string[];
/**
 * Throws one UsageError for all that is wrong with a conversion's words and options; nothing has been opened then. Answers the options
 * to be used in place of those that were given: what was read of them once, by `convertRules`.
 */
export declare function conversionOptions(command: "convert" | "plan", path: string, targetFormat: string, looked: LookedAt<ConvertOptions>): ConvertOptions;
