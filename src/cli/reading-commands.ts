/** `checksum`, `compare`, `info` and `map`: what an image is, without a write. */

import type { OpenOptions } from "../doors.ts";
import { infoText, kebabKeys, mapText } from "../doors.ts";
import {
  type CommandRun,
  formatName,
  given,
  isJson,
  printOutcome,
  printResult,
  refuseUnknownCache,
  required,
  sizeOf,
} from "./command-run.ts";
import { EXIT } from "./failure.ts";
import { jsonLines } from "./json.ts";
import { entriesWithin } from "./map-range.ts";
import { namedImage } from "./named-image.ts";

export async function compareCommand(run: CommandRun, [first, second]: readonly string[]): Promise<number> {
  const usage = "compare A B";
  refuseUnknownCache(run.values.cache);
  const { format, ...open } = run.open;
  const { bFormat } = run.values;
  const a = namedImage(run, required(first, "two images", usage), format, true);
  const formatB = bFormat === undefined ? undefined : formatName(bFormat);
  const b = namedImage(run, required(second, "a second image", usage), formatB, true);
  const report = await run.library.compare(a.path, b.path, {
    ...open,
    ...given("strict", run.values.strict),
    ...given("formatA", a.format),
    ...given("formatB", b.format),
  });
  printOutcome(run, kebabKeys(report), report.message);
  return report.identical ? EXIT.done : EXIT.failed;
}

export async function infoCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  refuseUnknownCache(run.values.cache);
  const { path, open } = opened(run, required(image, "an image", "info IMAGE"));
  if (run.values.backingChain) {
    const reports = await run.library.infoChain(path, open);
    printResult(run, kebabKeys(reports), reports.map(infoText).join("\n\n"));
    return EXIT.done;
  }
  const report = await run.library.info(path, open);
  printResult(run, kebabKeys(report), infoText(report));
  return EXIT.done;
}

export async function mapCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const { path, open } = opened(run, required(image, "an image", "map IMAGE"));
  const start = sizeOf(run.values.startOffset, "--start-offset");
  const length = sizeOf(run.values.maxLength, "--max-length");
  const whole = await run.library.map(path, open);
  const isPart = start !== undefined || length !== undefined;
  const report = isPart ? { ...whole, entries: entriesWithin(whole.entries, start ?? 0, length) } : whole;
  // As qemu-img has it: a list, whose keys are single words.
  if (isJson(run)) run.terminal.result(jsonLines(report.entries));
  else printResult(run, report.entries, mapText(report));
  return EXIT.done;
}

/** The image that a word names, and how it is to be opened. */
function opened(run: CommandRun, word: string): { readonly path: string; readonly open: OpenOptions } {
  const { path, format } = namedImage(run, word, run.open.format, false);
  return { path, open: { ...run.open, ...given("format", format) } };
}
