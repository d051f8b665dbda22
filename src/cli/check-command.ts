/** `check`: what `qemu-img check` says and takes, so that a script which calls it can call this instead. */

import { type CheckOptions, type CheckReport, UsageError } from "../index.ts";
import { announceUndo, type CommandRun, given, printNotes, refuseUnknownCache, required } from "./command-run.ts";
import { jsonText } from "./json.ts";
import { namedImage } from "./named-image.ts";
import { printable, printableLine } from "./terminal.ts";

const UNSUPPORTED = "This image format does not support checks";

export async function checkCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const { terminal, library } = run;
  // What -r was given may be the image.
  const options = { ...run.open, ...checkOptions(run) };
  const word = required(image, "an image", "check IMAGE");
  const { path, format } = namedImage(run, word, options.format, false);
  // qemu-img tells each finding on stderr, in JSON mode too; -q keeps errors, and findings are no errors of ours.
  const onFinding: CheckOptions["onFinding"] = ({ line, message }) => {
    for (const part of (line ?? message).split("\n")) terminal.note(printableLine(part));
  };
  const report = await library.check(path, {
    ...options,
    ...given("format", format),
    onFinding,
  });
  printNotes(run, report.notes);
  for (const loss of report.losses) {
    const way = report.beyondRepair?.includes(loss) ? "" : "; --allow-data-loss gives it up";
    terminal.note(printableLine(`Left alone: ${loss}${way}`));
  }
  print(run, report);
  await announceUndo(run, path);
  return report.exitCode;
}

function print({ terminal, values }: CommandRun, report: CheckReport): void {
  if (values.output === "json") terminal.result(jsonText(report.json));
  else if (report.verdict === "unsupported") terminal.note(`inplace-convert: ${UNSUPPORTED}`);
  else if (!values.quiet) terminal.result(printable(report.fixedText + report.text));
}

function checkOptions({ values }: CommandRun): CheckOptions {
  const { repair, cache, forceShare } = values;
  if (repair !== undefined && repair !== "leaks" && repair !== "all") {
    throw new UsageError(`Unknown option value for -r (expecting 'leaks' or 'all'): ${repair}`);
  }
  if (repair !== undefined && forceShare)
    throw new UsageError("Cannot repair with -U: what another program writes to is not changed under it");
  refuseUnknownCache(cache);
  return {
    ...given("repair", repair as "leaks" | "all" | undefined),
    ...given("allowDataLoss", values.allowDataLoss),
    ...given("keepUndo", values.keepUndo),
    ...given("journal", values.journal),
  };
}
