/** `-o` as the user wrote it, against the target's own table of options. */
import type { PackedFile, PackForm } from "../../image/pack-form.ts";
import type { TargetDriver } from "../../image/target.ts";
import { type TargetOption, type TargetOptionValues } from "../../image/target-options.ts";
/** Throws UsageError for an unknown name or a value that is none of its kind. What is said of the source is not among the answer. */
export declare function parseTargetOptions(format: string, target: TargetDriver, given: Readonly<Record<string, string>>): TargetOptionValues;
/** The options that `-o` takes for a target, in the order of `-o help`. Throws UsageError for an unknown format. */
export declare function targetOptions(format: string): readonly TargetOption[];
/** How the units of a goal lie, where it is a stream of them; undefined for any other, and for what can't be made. */
export declare function packFormOf({ goalFormat, goalOptions, }: {
    readonly goalFormat: string;
    readonly goalOptions: Readonly<Record<string, string>>;
}, file?: PackedFile): PackForm | undefined;
