/** `-o` as the user wrote it, against the target's own table of options. */

import { UsageError } from "../../bytes/image-error.ts";
import { openOptionOf } from "../../formats/registry.ts";
import { targetOf } from "../../formats/target-registry.ts";
import type { PackedFile, PackForm } from "../../image/pack-form.ts";
import type { TargetDriver } from "../../image/target.ts";
import { parseOptionValue, type TargetOption, type TargetOptionValues } from "../../image/target-options.ts";

/** Throws UsageError for an unknown name or a value that is none of its kind. What is said of the source is not among the answer. */
export function parseTargetOptions(
  format: string,
  target: TargetDriver,
  given: Readonly<Record<string, string>>,
): TargetOptionValues {
  const values: Record<string, string | number | boolean> = {};
  for (const [name, text] of Object.entries(given)) {
    const option = target.options.find((candidate) => candidate.name === name);
    const ofSource = option === undefined ? openOptionOf(name) : undefined;
    if (ofSource !== undefined) {
      parseOptionValue(ofSource, text);
      continue;
    }
    if (!option) {
      const known = targetOptions(format).map((candidate) => candidate.name);
      throw new UsageError(`Cannot use option ${name} for ${format}: it knows ${known.join(", ") || "none"}`);
    }
    values[name] = parseOptionValue(option, text);
  }
  return values;
}

/** The options that `-o` takes for a target, in the order of `-o help`. Throws UsageError for an unknown format. */
export function targetOptions(format: string): readonly TargetOption[] {
  return (targetOf(format)?.options ?? []).filter(({ isInternal }) => !isInternal);
}

/** How the units of a goal lie, where it is a stream of them; undefined for any other, and for what can't be made. */
export function packFormOf(
  {
    goalFormat,
    goalOptions,
  }: {
    readonly goalFormat: string;
    readonly goalOptions: Readonly<Record<string, string>>;
  },
  file?: PackedFile,
): PackForm | undefined {
  const target = targetOf(goalFormat);
  return target?.packForm?.(parseTargetOptions(goalFormat, target, goalOptions), file);
}
