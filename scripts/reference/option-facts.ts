/** What the table of options leaves to the library: what happens where an option is not given. */

import type { Option } from "commander";

/** By the option's long name in camel case, in words, code in backticks. */
const DEFAULTS: Readonly<Record<string, string>> = {
  format: "what the image's first bytes say",
  bFormat: "what the image's first bytes say",
  targetFormatOptions: "none",
  sparseSize: "`4k` from raw, fixed VHD and flat VMDK, else `0`",
  compact: "from raw, fixed VHD and flat VMDK, and with `-c`",
  noCompact: "from all others",
  checksum: "`blkhash-sha256`",
  guestChecksum: "nothing is expected",
  verify: "`full`",
  noCheck: "checked",
  maxExtraSpace: "no limit",
  journal: "beside the image, `IMAGE.inplace-journal`",
  crossCheck: "`off`",
  drop: "nothing",
  repair: "nothing is repaired",
  cache: "none is needed",
  object: "none is needed",
  startOffset: "`0`",
  maxLength: "to the end of the disk",
  checkList: "checksums are printed, not checked",
  keep: "a temporary folder, which is removed",
};

/** Of one command alone, where it has its own: `command.option`. */
const OWN: Readonly<Record<string, string>> = { "compact.sparseSize": "`0`" };

/** `--no-check` is `noCheck` here, beside the `check` that it sets. */
export function nameOf(option: Option): string {
  const name = option.attributeName();
  return option.negate ? `no${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
}

/** What an option is where it is not given; throws an Error for one with a value of which nobody has said it. */
export function defaultOf(command: string, option: Option): string {
  const name = nameOf(option);
  const known = OWN[`${command}.${name}`] ?? DEFAULTS[name];
  if (known !== undefined) return known;
  if (typeof option.defaultValue === "string") return `\`${option.defaultValue}\``;
  if (option.required) throw new Error(`Say in scripts/reference/option-facts.ts what ${option.flags} is by default`);
  return "off";
}

/** Names of which something is said here, for a test that there are such options. */
export const optionsWithDefaults: readonly string[] = [
  ...Object.keys(DEFAULTS),
  ...Object.keys(OWN).map((each) => each.split(".")[1] ?? ""),
];
