/** `-o` as the user wrote it, against the target's own table of options. */

import { UsageError } from "../../bytes/image-error.ts";
import { parseSize } from "../../bytes/size-text.ts";
import { driverOf } from "../../formats/registry.ts";
import type { TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";

/** The target side of a format; throws UsageError for one that is unknown or can only be read. */
export function targetDriverOf(format: string): TargetDriver {
  const { target } = driverOf(format);
  if (target === undefined) throw new UsageError(`Cannot convert to ${format}: it can only be read so far`);
  return target;
}

/** Throws UsageError for an unknown name or a value that is none of its kind. */
export function parseTargetOptions(
  format: string,
  target: TargetDriver,
  given: Readonly<Record<string, string>>,
): TargetOptionValues {
  const values: Record<string, string | number | boolean> = {};
  for (const [name, text] of Object.entries(given)) {
    const option = target.options.find((candidate) => candidate.name === name);
    if (!option) {
      const known = targetOptions(format).map((candidate) => candidate.name);
      throw new UsageError(`Cannot use option ${name} for ${format}: it knows ${known.join(", ") || "none"}`);
    }
    values[name] = parseValue(option, text);
  }
  return values;
}

function parseValue(option: TargetOption, text: string): string | number | boolean {
  const { name, kind, choices } = option;
  const refuse = (expected: string): never => {
    throw new UsageError(`Cannot use ${name}=${text}: expected ${expected}`);
  };
  switch (kind) {
    case "boolean":
      return text === "on" ? true : text === "off" ? false : refuse("on or off");
    case "choice":
      return choices?.includes(text) ? text : refuse((choices ?? []).join(" or "));
    case "number":
      return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : refuse("a number");
    case "size":
      return parseSize(text, name);
  }
}

/** The options that `-o` takes for a target, in the order of `-o help`. Throws UsageError for an unknown format. */
export function targetOptions(format: string): readonly TargetOption[] {
  return (driverOf(format).target?.options ?? []).filter(({ isHidden }) => !isHidden);
}
