/** qemu-img on a conversion that was accepted: clean afterwards, and the same guest as it sees before. */

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Conversion } from "./trial.ts";

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A larger disk takes qemu-img too long to compare. */
const MAX_COMPARED = 2 ** 32;

export async function judge(folder: string, conversion: Conversion): Promise<void> {
  const { before, after, sourceFormat, targetFormat, virtualSize, options } = conversion;
  const [old, made] = [join(folder, "before.img"), join(folder, "after.img")];
  await writeFile(old, before);
  await writeFile(made, after);
  const found = await run(["check", "-f", targetFormat, "--output=json", made]);
  const isChecked = !found.stderr.includes("does not support checks");
  // It can't be opened by qemu where the backing file is missing or table_size is 1: then it has no say.
  if (isChecked && !found.stdout.startsWith("{")) return refuseUnlessOpenableBefore(old, sourceFormat, found);
  const check = isChecked ? (JSON.parse(found.stdout) as Record<string, number | undefined>) : {};
  const mayLeak = options.keepLeaks === true || options.keepUndo === true || options.check === false;
  if (check.corruptions || check["check-errors"] || (check.leaks && !mayLeak)) {
    throw new Error(`qemu-img check of the result: ${found.stdout}`);
  }
  if (virtualSize > MAX_COMPARED) return;
  const compared = await run(["compare", "-f", sourceFormat, "-F", targetFormat, old, made]);
  // 2 and more: it can't read the mutant, which we took.
  if (compared.code === 1) throw new Error(`qemu-img compare: ${compared.stdout}`);
}

/** Where qemu opens the source, it must open the target too. */
async function refuseUnlessOpenableBefore(old: string, format: string, found: Said): Promise<void> {
  const before = await run(["check", "-f", format, "--output=json", old]);
  if (before.stdout.startsWith("{")) throw new Error(`qemu-img can't open the result: ${found.stderr}`);
}

function run(words: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile("qemu-img", words, { encoding: "utf8", timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 99;
      resolve({ code, stdout, stderr });
    });
  });
}
