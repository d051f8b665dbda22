/** `demo`: the main job with nothing to prepare; a raw disk becomes qcow2, a fixed VHD and raw again, inside one file. */

import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type ConversionReport,
  type ConvertOptions,
  type FileLayout,
  formatSize,
  PICTURE_LEGEND,
  pictureLine,
} from "../doors.ts";
import { type CommandRun, given, isJson, printResult } from "./command-run.ts";
import { EXIT } from "./failure.ts";
import { conversionJson } from "./report-json.ts";
import { formatMilliseconds } from "./report-text.ts";
import { printable } from "./terminal.ts";

interface Stage {
  readonly target: string;
  readonly called: string;
  readonly options: ConvertOptions;
  /** Of the copy that `--keep` leaves. */
  readonly copy: string;
}

const STAGES: readonly Stage[] = [
  { target: "qcow2", called: "qcow2", options: { format: "raw" }, copy: "demo.qcow2" },
  { target: "vpc", called: "fixed VHD", options: { options: { subformat: "fixed" } }, copy: "demo.vhd" },
  { target: "raw", called: "raw again", options: {}, copy: "demo.raw" },
];

export async function demoCommand(run: CommandRun): Promise<number> {
  const { keep } = run.values;
  if (keep !== undefined) await makeFolder(keep);
  const folder = keep ?? (await mkdtemp(join(tmpdir(), "inplace-convert-demo-")));
  try {
    return await perform(run, folder);
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** With those above it. Node's own way never ends where a folder that is there takes none, such as /proc. */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (above !== path && !existsSync(above)) await makeFolder(above);
  if (!existsSync(path)) await mkdir(path);
}

async function perform(run: CommandRun, folder: string): Promise<number> {
  const { library, open } = run;
  const isKept = run.values.keep !== undefined;
  const watched = { ...given("onProgress", open.onProgress), ...given("signal", open.signal) };
  const say = speaker(run);
  const image = join(folder, isKept ? "demo.raw" : "demo.img");
  const original = join(folder, "original.raw");

  say.title("A raw disk becomes qcow2, a fixed VHD and raw again, inside the file it already occupies");
  // Made twice, since a copy may have no holes.
  await library.makeDemoImage(original);
  const made = await library.makeDemoImage(image);
  const reports: ConversionReport[] = [];
  let isSame = true;
  for (const { target, called, options, copy } of STAGES) {
    const start = run.terminal.now();
    const report = await library.convert(image, target, { ...watched, ...options, layout: true });
    const milliseconds = run.terminal.now() - start;
    if (reports.length === 0) {
      say.file("raw", report.layout?.before);
      say.more(`made: ${formatSize(made.dataBytes)} of data, holes between them`);
      say.more(`${report.guestChecksum?.algorithm} of what the guest sees: ${report.guestChecksum?.before}`);
    }
    reports.push(report);
    say.file(called, report.layout?.after);
    say.more(
      `${formatSize(report.bytesMoved)} moved, ${formatSize(report.bytesWritten)} written, ${formatMilliseconds(milliseconds)}`,
    );
    const compared = await library.compare(original, image, {
      ...watched,
      formatA: "raw",
      ...(target === "raw" && { formatB: target }),
    });
    const { before, after } = report.guestChecksum ?? { before: null, after: null };
    const isRight = compared.identical && before !== null && before === after && isClean(report);
    const checked = report.check.after === null ? "" : ", checked without a finding";
    say.more(isRight ? `the same checksum${checked}` : "ANOTHER checksum, or NOT clean");
    say.more(`compared with the original: ${compared.message.trim()}`);
    isSame &&= isRight;
    if (isKept && target !== "raw") await copyFile(image, join(folder, copy));
  }
  const names = ["original.raw", ...STAGES.map(({ copy }) => copy)];
  say.end(isKept ? [`Kept in ${folder}: ${names.join(", ")}`] : []);
  if (isJson(run)) {
    const conversions = reports.map(({ layout: _, ...report }) => conversionJson(report));
    printResult(run, { "data-bytes": made.dataBytes, identical: isSame, conversions }, "");
  }
  return isSame ? EXIT.done : EXIT.failed;
}

function isClean({ check }: ConversionReport): boolean {
  return check.after === null || check.after.corruptions + check.after.leaks === 0;
}

/** Columns of the longest file at most and at least. */
const COLUMNS = 48;
const MIN_COLUMNS = 12;
const MARGIN = 12;
/** Behind the picture, for a size. */
const SIZE_COLUMNS = 11;

interface Speaker {
  title(text: string): void;
  /** The next number, and the file to scale with the first. */
  file(name: string, layout: FileLayout | null | undefined): void;
  more(text: string): void;
  end(lines: readonly string[]): void;
}

function speaker(run: CommandRun): Speaker {
  const { terminal, values } = run;
  const isMute = isJson(run) || values.quiet === true;
  const paint = (code: number, text: string) => (terminal.hasColor ? `\x1b[${code}m${text}\x1b[0m` : text);
  const print = (text: string) => {
    if (!isMute) terminal.result(`${text}\n`);
  };
  const indent = " ".repeat(MARGIN);
  const room = (terminal.columns ?? Number.POSITIVE_INFINITY) - MARGIN - SIZE_COLUMNS;
  const columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, room));
  let longest = 0;
  let count = 0;
  return {
    title: (text) => print(`\n${paint(1, text)}`),
    file(name, layout) {
      count++;
      longest = Math.max(longest, layout?.fileSize ?? 0);
      const picture = layout ? pictureLine(layout, longest, columns).padEnd(columns) : "";
      const size = layout ? formatSize(layout.fileSize) : "";
      print(`\n${paint(36, `${count} ${name}`.padEnd(MARGIN))}${paint(1, picture)}  ${size}`);
    },
    more: (text) => print(`${indent}${printable(text)}`),
    end: (lines) => print(["", `${indent}${PICTURE_LEGEND}`, ...lines.map(printable)].join("\n")),
  };
}
