/** `-o`: what a target format lets the user choose. */

import { UsageError } from "../bytes/image-error.ts";
import { parseSize } from "../bytes/size-text.ts";

/** One option of a target, as `-o help` lists it. */
export interface TargetOption {
  readonly name: string;
  readonly kind: "size" | "number" | "boolean" | "choice" | "bytes" | "text" | "path";
  readonly choices?: readonly string[];
  /** Of a path: the internal option, of bytes, that the file's content is given as; it is read before anything else is done. */
  readonly readInto?: string;
  /** Of what leads back to an image as it was, for the journal alone: no help lists it. */
  readonly isInternal?: true;
  /** Says what becomes of the disk, not how it is laid out: whether it is so already is asked of the disk itself. */
  readonly isOfDisk?: true;
  /** A value that images are found with and none is made with: what leads back to such an image does without it. */
  readonly neverMade?: string | boolean;
  readonly help: string;
}

/** Of values that make a layout those that a target can be made with. */
export function makeable(options: readonly TargetOption[], values: TargetOptionValues): TargetOptionValues {
  const isMade = (name: string, value: unknown) =>
    value !== (options.find((option) => option.name === name)?.neverMade ?? Number.NaN);
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => isMade(name, value)));
}

/** Values of `-o`, parsed by kind: sizes and numbers as numbers, on/off as booleans, all others as text, bytes in hex. */
export type TargetOptionValues = Readonly<Record<string, string | number | boolean>>;

/** What qemu-img takes for a boolean, in this case alone. */
const ON = ["on", "yes", "true", "y"];
const OFF = ["off", "no", "false", "n"];

/** Throws UsageError for a text that is no value of the option's kind. */
export function parseOptionValue(option: TargetOption, text: string): string | number | boolean {
  const { name, kind, choices } = option;
  const refuse = (expected: string): never => {
    throw new UsageError(`Cannot use ${name}=${text}: expected ${expected}`);
  };
  switch (kind) {
    case "boolean":
      return ON.includes(text) ? true : OFF.includes(text) ? false : refuse("on or off");
    case "choice":
      return choices?.includes(text) ? text : refuse((choices ?? []).join(" or "));
    case "number":
      return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : refuse("a number");
    case "text":
    case "path":
      return text !== "" && !text.includes("\0") ? text : refuse(kind === "path" ? "a path" : "a text");
    case "bytes":
      return /^(?:[0-9a-f]{2})+$/.test(text) ? text : refuse("bytes in hex");
    case "size":
      return parseSize(text, name);
  }
}
