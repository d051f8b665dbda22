/** `demo`: the main job with nothing to prepare; makes a QED image, converts it in place, verifies it, shows the figures. */

import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConversionReport, formatSize } from "../index.ts";
import { type CommandRun, given, isJson, printResult } from "./command-run.ts";
import { EXIT } from "./failure.ts";
import { conversionJson } from "./report-json.ts";
import { formatMilliseconds, ratioText } from "./report-text.ts";
import { printable } from "./terminal.ts";

const TARGET = "qcow2";

interface Figures {
  readonly dataBytes: number;
  readonly milliseconds: number;
  readonly report: ConversionReport;
}

export async function demoCommand(run: CommandRun): Promise<number> {
  const { keep } = run.values;
  if (keep !== undefined) await mkdir(keep, { recursive: true });
  const folder = keep ?? (await mkdtemp(join(tmpdir(), "inplace-convert-demo-")));
  try {
    return await perform(run, folder);
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function perform(run: CommandRun, folder: string): Promise<number> {
  const { library, open } = run;
  const watched = { ...given("onProgress", open.onProgress), ...given("signal", open.signal) };
  const say = speaker(run);
  const image = join(folder, "demo.img");
  const copy = join(folder, "original.qed");

  say.title("A QED disk image becomes qcow2, inside the file it already occupies");
  const made = await library.makeDemoImage(image);
  await copyFile(image, copy);
  say.step("make", `${image}: QED, a disk of ${formatSize(made.virtualSize)}`);
  say.more(`${formatSize(made.dataBytes)} of data in scattered clusters, holes and zeros between them`);

  const before = await library.checksum(image, watched);
  say.step("checksum", `${before.checksum}`);
  say.more(`${before.algorithm} of what the guest sees, read as QED`);

  const start = run.terminal.now();
  const report = await library.convert(image, TARGET, watched);
  const milliseconds = run.terminal.now() - start;
  say.step("convert", `${report.sourceFormat} to ${report.targetFormat}: only metadata is new`);
  for (const line of drawing(report)) say.more(line);

  const after = await library.checksum(image, watched);
  const compared = await library.compare(copy, image, watched);
  const isSame = before.checksum === after.checksum && compared.identical && isClean(report);
  say.step("verify", `${after.checksum}`);
  say.more(before.checksum === after.checksum ? "the same checksum, read as qcow2" : "ANOTHER checksum");
  say.more(`compared with a copy of the original: ${compared.message.trim()}`);
  say.more(isClean(report) ? "checked: no errors, no leaks" : "checked: NOT clean");

  say.figures({ dataBytes: made.dataBytes, milliseconds, report });
  say.end(run.values.keep === undefined ? [] : [`Kept: ${image} (qcow2) and ${copy} (the original)`]);
  if (isJson(run)) {
    printResult(run, { ...conversionJson(report), "data-bytes": made.dataBytes, identical: isSame }, "");
  }
  return isSame ? EXIT.done : EXIT.failed;
}

function isClean({ check }: ConversionReport): boolean {
  return check.after === null || check.after.corruptions + check.after.leaks === 0;
}

/** The file before and after, in one line each. */
function drawing({ fileSizeBefore, fileSizeAfter, bytesMoved }: ConversionReport): string[] {
  const data = "░░░░░░░ guest data ░░░░░░░";
  return [
    `before │ QED header │ tables │${data}│ ${formatSize(fileSizeBefore)}`,
    `after  │qcow2 header│        │${data}│ tables │ ${formatSize(fileSizeAfter)}`,
    ...(bytesMoved === 0 ? ["                             └─ not one byte of it moved ─┘"] : []),
  ];
}

interface Speaker {
  title(text: string): void;
  step(name: string, text: string): void;
  more(text: string): void;
  figures(figures: Figures): void;
  end(lines: readonly string[]): void;
}

function speaker(run: CommandRun): Speaker {
  const { terminal, values } = run;
  const isMute = isJson(run) || values.quiet === true;
  const paint = (code: number, text: string) => (terminal.hasColor ? `\x1b[${code}m${text}\x1b[0m` : text);
  const print = (text: string) => {
    if (!isMute) terminal.result(`${text}\n`);
  };
  let count = 0;
  return {
    title: (text) => print(`\n${paint(1, text)}\n`),
    step(name, text) {
      count++;
      print(`${paint(36, `${count} ${name.padEnd(9)}`)} ${printable(text)}`);
    },
    more: (text) => print(`            ${printable(text)}`),
    figures({ dataBytes, milliseconds, report }) {
      const rows = [
        ["guest data", formatSize(dataBytes)],
        ["moved", formatSize(report.bytesMoved)],
        ["written", `${formatSize(report.bytesWritten)}, ${ratioText(report.bytesWritten, dataBytes)} the data`],
        ["syncs", `${report.syncs}`],
        ["time", `${formatMilliseconds(milliseconds)}, with checksums and checks before and after`],
      ] as const;
      print("");
      for (const [name, text] of rows) print(`  ${paint(2, name.padEnd(12))}${paint(1, text)}`);
    },
    end(lines) {
      print(["", ...lines.map(printable)].join("\n"));
    },
  };
}
