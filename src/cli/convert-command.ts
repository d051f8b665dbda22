/** `convert` and `plan`: the main job, and what it would do; `compact`, which stays in the format. */

import {
  type ChecksumAlgorithm,
  type CompactOptions,
  type ConvertOptions,
  kebabKeys,
  type TargetOption,
  UsageError,
} from "../doors.ts";

import {
  announceUndo,
  type CommandRun,
  formatName,
  given,
  isJson,
  printNotes,
  printOutcome,
  printResult,
  required,
  sizeOf,
} from "./command-run.ts";
import { EXIT } from "./failure.ts";
import { namedImage } from "./named-image.ts";
import { parseOptionList } from "./option-list.ts";
import { conversionJson } from "./report-json.ts";
import { conversionText } from "./report-text.ts";
import { printableLine } from "./terminal.ts";

export async function convertCommand(run: CommandRun, [image, format]: readonly string[]): Promise<number> {
  if (run.values.dryRun)
    return planCommand(
      run,
      [image, format].filter((each) => each !== undefined),
    );
  const list = parseOptionList(run.values.targetFormatOptions);
  if (list.wantsHelp) return listOptions(run, format ?? image);
  if (run.values.forceShare)
    throw new UsageError(
      "Cannot convert with -U: what another program writes to is not changed under it; plan -U says what would be done",
    );
  const usage = "convert IMAGE FORMAT";
  const path = required(image, "an image", usage);
  const target = formatName(required(format, "a target format", usage));
  const report = await run.library.convert(path, target, convertOptions(run, list.values));
  printNotes(run, report.notes);
  printOutcome(run, conversionJson(report), conversionText(report, "convert", run.values.keepUndo));
  await announceUndo(run, report.diskFile ?? path, report);
  return EXIT.done;
}

export async function planCommand(run: CommandRun, [image, format]: readonly string[]): Promise<number> {
  const list = parseOptionList(run.values.targetFormatOptions);
  if (list.wantsHelp) return listOptions(run, format ?? image);
  const usage = "plan IMAGE FORMAT";
  const word = required(image, "an image", usage);
  const target = formatName(required(format, "a target format", usage));
  const { path, format: named } = namedImage(run, word, run.open.format, false);
  const options = { ...convertOptions(run, list.values), ...given("format", named), dryRun: true };
  const { report, text } = await run.library.plan(path, target, options);
  printNotes(run, report.notes);
  if (report.refused.length === 0) {
    printResult(run, conversionJson(report), text);
    return EXIT.done;
  }
  const message = `Cannot convert ${path} to ${target}: ${report.refused.join("; ")}`;
  printResult(run, { ...conversionJson(report), error: { kind: "unsupported", message, path } }, text);
  if (!isJson(run)) run.terminal.note(printableLine(message));
  return EXIT.failed;
}

async function listOptions(run: CommandRun, format: string | undefined): Promise<number> {
  const name = formatName(required(format, "a target format", "convert IMAGE FORMAT -o help"));
  return printOptions(run, name, await run.library.targetOptions(name));
}

/** `-o help`; `name` is a format's or a command's. */
export function printOptions(run: CommandRun, name: string, options: readonly TargetOption[]): number {
  const width = Math.max(0, ...options.map((each) => each.name.length)) + 12;
  const lines = options.map((each) => {
    const value = each.kind === "boolean" ? "on/off" : (each.choices?.join("|") ?? each.kind);
    return `  ${`${each.name}=<${value}>`.padEnd(width)} - ${each.help}`;
  });
  printResult(run, kebabKeys(options), [`Supported ${name} options:`, ...lines].join("\n"));
  return EXIT.done;
}

export async function compactCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "compact IMAGE");
  const report = await run.library.compact(path, rewritingOptions(run));
  printNotes(run, report.notes);
  printOutcome(run, conversionJson(report), conversionText(report, "compact", run.values.keepUndo));
  await announceUndo(run, path, report);
  return EXIT.done;
}

function convertOptions(run: CommandRun, options: Readonly<Record<string, string>>): ConvertOptions {
  const { values } = run;
  return {
    ...rewritingOptions(run),
    options,
    ...given("compress", values.compress),
    ...given("compact", values.compact),
    ...given("allowProbedGuest", values.allowProbedGuest),
    ...given("reproducible", values.reproducible),
    ...given("keepLeaks", values.keepLeaks),
    ...given(
      "drop",
      values.drop?.flatMap((each) => each.split(",")).filter((each) => each !== ""),
    ),
  };
}

/** What `compact` takes too. */
function rewritingOptions(run: CommandRun): CompactOptions {
  const { values } = run;
  return {
    ...run.open,
    ...given("sparseSize", sizeOf(values.sparseSize, "-S")),
    ...given("checksum", values.checksum as ConvertOptions["checksum"]),
    ...given("guestChecksum", guestChecksum(values.guestChecksum)),
    ...given("verify", values.verify),
    ...given("check", values.check),
    ...given("keepUndo", values.keepUndo),
    ...given("maxExtraSpace", sizeOf(values.maxExtraSpace, "--max-extra-space")),
    ...given("journal", values.journal),
    ...given("crossCheck", values.crossCheck),
  };
}

/** `[ALGORITHM:]HEX`; no prefix is blkhash-sha256. */
function guestChecksum(text: string | undefined): ConvertOptions["guestChecksum"] {
  if (text === undefined) return undefined;
  const [, algorithm = "blkhash-sha256", digits] = /^(?:(blkhash-sha256|sha256):)?([0-9a-f]{64})$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(
      `Cannot use "${text}" for --guest-checksum: give 64 hex digits, with sha256: before them or not`,
    );
  }
  return { algorithm: algorithm.toLowerCase() as ChecksumAlgorithm, hex: digits.toLowerCase() };
}
