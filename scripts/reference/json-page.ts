/** docs/reference/json.md: what `--output json` prints, a table a command. */

import {
  ACTION_IMAGE,
  ACTION_REPORT,
  CHECK,
  CHECKSUM,
  COMPARE,
  COMPLETION,
  CONVERSION,
  DEMO,
  FAILURE,
  type Field,
  type Fields,
  FORMAT_SPECIFIC,
  INFO,
  MAP,
  OPTION_HELP,
  RECOVERY,
  SETMAP,
} from "./json-fields.ts";
import { code, page, table } from "./markdown.ts";

/** Beside the fields of what failed. */
function failed(meaning: string): Field {
  return { type: "object", meaning: `${meaning} Its fields are those of a [failure](#failures).`, hasAnyKeys: true };
}

/** What is printed, by the heading that tells of it. */
export const printedFields = {
  "convert, plan, compact": { ...CONVERSION, error: failed("Only of a plan that is refused.") },
  check: CHECK,
  checksum: {
    ...CHECKSUM,
    error: failed("Only of one of several images that could not be read, beside `image` alone."),
  },
  compare: COMPARE,
  info: INFO,
  map: MAP,
  "resume, rollback": RECOVERY,
  setmap: SETMAP,
  demo: DEMO,
  completion: COMPLETION,
  "-o help": OPTION_HELP,
  Failures: FAILURE,
  "The action, each image": ACTION_IMAGE,
  "The action, its report": ACTION_REPORT,
} as const satisfies Readonly<Record<string, Fields>>;

export type Heading = keyof typeof printedFields;

const REMARKS: Partial<Record<Heading, string>> = {
  "convert, plan, compact":
    "`convert --dry-run` prints what `plan` does. A plan that is refused is printed all the same, with its reasons in `refused`, and exits 1.",
  check: "qemu-img's fields, then those of ours. As qemu-img does it leaves out counts that are 0, but `check-errors`.",
  checksum: "Of several images, and with `-c`, a list of such.",
  info: "The fields are qemu-img's. With `--backing-chain` a list of such, the image itself first.",
  map: "A list, an entry a line, as qemu-img prints it: all of the disk, ascending, without a gap.",
  "-o help": "A list, of `convert IMAGE FORMAT -o help` for one.",
  "The action, each image":
    "The output `images` is a list of such, and the report has it too. Beside these fields stand those of `convert`, or in mode `check` those of `check`.",
  "The action, its report": "What the input `report` names.",
  Failures:
    "Every failure prints this on stdout, and its sentence on stderr. What is not known is absent. What `convert` and `compact` refuse before they write has all reasons in `refused`.",
};

export function jsonPage(): string {
  const told = new Map<Fields, string>([[CONVERSION, "as of `convert`"]]);
  return page(
    "JSON",
    "What `--output json` prints on stdout: one value, and a line break. Keys are words with hyphens; in the library the same fields are in camel case. Fields may be added, and a reader should pass over what it doesn't know; none of these is taken away or changes its meaning within a major version.",
    "Bytes and counts are whole numbers. `[]` after a name stands for each item of a list. Digests are hex digits in lower case.",
    ...Object.entries(printedFields).flatMap(([heading, fields]) => [
      `## ${heading}`,
      ...(REMARKS[heading as Heading] === undefined ? [] : [REMARKS[heading as Heading] as string]),
      fieldsTable(fields, told),
      ...(fields === INFO ? formatTables(told) : []),
    ]),
  );
}

function formatTables(told: Map<Fields, string>): string[] {
  return Object.entries(FORMAT_SPECIFIC).flatMap(([format, fields]) => [
    `\`format-specific.data\` of ${format}:`,
    fieldsTable(fields, told),
  ]);
}

function fieldsTable(fields: Fields, told: Map<Fields, string>): string {
  return table(["field", "type", "meaning"], rowsOf(fields, "", told));
}

/** A field's own row, then those inside it; what has been told before is not told again. */
function rowsOf(fields: Fields, before: string, told: Map<Fields, string>): string[][] {
  return Object.entries(fields).flatMap(([name, { type, meaning, inside, isList }]) => {
    const path = `${before}${name}`;
    const known = inside && told.get(inside);
    const row = [code(path), type, known === undefined ? meaning : `${meaning} Its fields are ${known}.`];
    if (inside === undefined || known !== undefined) return [row];
    told.set(inside, `those of ${code(path)}`);
    return [row, ...rowsOf(inside, `${path}${isList ? "[]" : ""}.`, told)];
  });
}
