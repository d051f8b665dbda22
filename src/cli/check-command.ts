/** `check`: what `qemu-img check` says and takes, so that a script which calls it can call this instead. */

import { type CheckOptions, type CheckReport, UsageError } from "../index.ts";
import {
  announceUndo,
  type CommandRun,
  formatName,
  given,
  printNotes,
  refuseUnknownCache,
  required,
} from "./command-run.ts";
import { jsonText } from "./json.ts";
import { parseOptionList } from "./option-list.ts";
import { printable, printableLine } from "./terminal.ts";

const UNSUPPORTED = "This image format does not support checks";

export async function checkCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const { values, terminal, library } = run;
  const word = required(image, "an image", "check IMAGE");
  const options = { ...run.open, ...checkOptions(run) };
  if (values.imageOpts && values.format !== undefined) {
    throw new UsageError("Cannot take --format beside --image-opts: name the format by driver=");
  }
  const { path, format } = values.imageOpts ? imageOptions(word) : { path: word, format: undefined };
  // qemu-img tells each finding on stderr, in JSON mode too; -q keeps errors, and findings are no errors of ours.
  const onFinding: CheckOptions["onFinding"] = ({ line, message }) => {
    for (const part of (line ?? message).split("\n")) terminal.note(printableLine(part));
  };
  const report = await library.check(path, {
    ...options,
    ...given("format", format === undefined ? undefined : formatName(format)),
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
  const { repair, cache } = values;
  if (repair !== undefined && repair !== "leaks" && repair !== "all") {
    throw new UsageError(`Unknown option value for -r (expecting 'leaks' or 'all'): ${repair}`);
  }
  refuseUnknownCache(cache);
  return {
    ...given("repair", repair as "leaks" | "all" | undefined),
    ...given("allowDataLoss", values.allowDataLoss),
    ...given("keepUndo", values.keepUndo),
    ...given("journal", values.journal),
  };
}

/** `driver=qcow2,file.filename=disk.qcow2`; `file.driver=file` is all that we open anyway. */
function imageOptions(word: string): { readonly path: string; readonly format: string | undefined } {
  const { driver, "file.filename": path, filename, "file.driver": protocol, ...rest } = parseOptionList([word]).values;
  // A key is for guest data, which no check reads.
  const [unknown] = Object.keys(rest).filter((name) => !name.startsWith("encrypt."));
  if (unknown !== undefined)
    throw new UsageError(`Cannot use ${unknown} of --image-opts: driver and file.filename are known`);
  if (protocol !== undefined && protocol !== "file") {
    throw new UsageError(`Cannot open an image by ${protocol}: --image-opts takes files alone`);
  }
  const found = path ?? filename;
  if (found === undefined) throw new UsageError("Cannot go on without an image: --image-opts needs file.filename");
  return { path: found, format: driver };
}
