/** What qemu-img and the library say of one image, side by side, and in what they differ. */

import { execFile } from "node:child_process";
import { ImageError } from "../../src/bytes/image-error.ts";
import { checkJson } from "../../src/check/check-json.ts";
import { resultText } from "../../src/check/check-text.ts";
import { checkExitCode } from "../../src/check/verdict.ts";
import type { Finding } from "../../src/image/finding.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { OurVerdict, Verdict } from "../formats/check-verdict.ts";
import type { FormatKit } from "../formats/kit.ts";
import { driverOfKit } from "../formats/kits.ts";
import { openWith } from "./open-with.ts";

const NUMBERS = [
  "image-end-offset",
  "total-clusters",
  "allocated-clusters",
  "fragmented-clusters",
  "compressed-clusters",
  "corruptions",
  "leaks",
  "check-errors",
];

/** Said when the image is opened, by every command and without a line break at its end. */
const STALE_BITMAPS =
  /^qemu-img: warning: a program lacking bitmap support .*\nSome clusters may be leaked, run 'qemu-img check -r' on the image file to fix\./;

export async function qemuVerdict(words: readonly string[], withText: boolean): Promise<Verdict> {
  const json = await runCheck(["--output=json", ...words]);
  const human = withText ? await runCheck(words) : undefined;
  const lines = json.stderr
    .replace(STALE_BITMAPS, "")
    .split("\n")
    .filter((line) => line !== "" && line !== "qemu-img: Check failed")
    // Of most formats it prints findings as they are, of VHDX as messages of a program.
    .map((line) => line.replace(/^qemu-img: (?=VHDX (?:BAT|region) )/, ""));
  const report = json.stdout.startsWith("{") ? JSON.parse(json.stdout) : undefined;
  return {
    exitCode: json.exitCode,
    lines,
    numbers: report && numbersOf(report),
    text: report && human?.stdout,
  };
}

export async function ourVerdict(kit: FormatKit, bytes: Uint8Array): Promise<OurVerdict> {
  const findings: Finding[] = [];
  try {
    const image = await openWith(driverOfKit(kit), memoryStorage(bytes));
    const result = await checkOf(image, (finding) => findings.push(finding));
    const told = findings.filter(({ severity }) => severity !== "warning");
    const facts = { ...result, image: "", format: kit.name, leaksFixed: 0, corruptionsFixed: 0 };
    return {
      exitCode: checkExitCode(result),
      lines: kit.check?.hasLines
        ? told.flatMap(({ line, message }) => (line ?? `(no line) ${message}`).split("\n"))
        : [],
      numbers: numbersOf(checkJson(facts) as Record<string, number>),
      text: resultText(result),
      findings,
      refusal: undefined,
    };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { exitCode: 1, lines: [], numbers: undefined, text: undefined, findings, refusal: error };
  }
}

/** In one phrase, or undefined where both say the same. */
export function differenceOf(theirs: Verdict, ours: OurVerdict): string | undefined {
  if (theirs.numbers === undefined || ours.numbers === undefined) {
    if (theirs.numbers === ours.numbers) return undefined;
    // Where it gives up it prints no result; we print what was found so far, and both exit 1.
    if (theirs.numbers === undefined && ours.exitCode === theirs.exitCode) return undefined;
    return theirs.numbers === undefined
      ? `qemu-img refuses: ${theirs.lines.join(" / ")}`
      : `refused: ${ours.refusal?.message}`;
  }
  const at = theirs.lines.findIndex((line, index) => line !== ours.lines[index]);
  if (at >= 0) return `line ${at}: ${theirs.lines[at]} | ${ours.lines[at]}`;
  if (ours.lines.length > theirs.lines.length)
    return `line ${theirs.lines.length}: nothing | ${ours.lines[theirs.lines.length]}`;
  for (const name of NUMBERS) {
    if (theirs.numbers[name] !== ours.numbers[name]) return `${name}: ${theirs.numbers[name]} | ${ours.numbers[name]}`;
  }
  if (theirs.exitCode !== ours.exitCode) return `exit code: ${theirs.exitCode} | ${ours.exitCode}`;
  if (theirs.text !== undefined && theirs.text !== ours.text) return `text: ${theirs.text} | ${ours.text}`;
  return undefined;
}

function numbersOf(report: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(NUMBERS.map((name) => [name, Number(report[name] ?? 0)]));
}

function runCheck(words: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { encoding: "utf8", maxBuffer: 2 ** 28, timeout: 60_000 } as const;
    execFile("qemu-img", ["check", ...words], options, (error, stdout, stderr) => {
      // An assertion of its own that fails is a refusal too: of a Parallels extension beyond 2^63, say.
      if (error?.signal === "SIGABRT") resolve({ exitCode: 1, stdout: "", stderr });
      else if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
