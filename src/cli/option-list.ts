/** `-o key=value[,key=value…]` as qemu-img takes it: repeatable, `,,` is a comma, a key alone is `on`. */

import { UsageError } from "../doors.ts";

export interface OptionList {
  /** Values as written; a later one wins. */
  readonly values: Readonly<Record<string, string>>;
  /** `-o help` or `-o ?` was among them. */
  readonly wantsHelp: boolean;
}

/**
 * `of` is where the list was given, for messages.
 *
 * @throws UsageError for an empty key
 */
export function parseOptionList(texts: readonly string[], of = "-o"): OptionList {
  const values = new Map<string, string>();
  let wantsHelp = false;
  for (const item of texts.flatMap(splitAtCommas)) {
    const [, key = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(item) ?? [];
    if (value === undefined && (key === "help" || key === "?")) wantsHelp = true;
    else if (key === "")
      throw new UsageError(
        `Cannot read ${of} "${texts.join(",")}": write key=value, ${of === "-o" ? "e.g. cluster_size=64k" : "with commas between"}`,
      );
    else values.set(key, value ?? "on");
  }
  return { values: Object.fromEntries(values), wantsHelp };
}

function splitAtCommas(text: string): string[] {
  const items = [""];
  for (const part of text.split(/(,,|,)/)) {
    if (part === ",") items.push("");
    else items.push(`${items.pop()}${part === ",," ? "," : part}`);
  }
  return items;
}
