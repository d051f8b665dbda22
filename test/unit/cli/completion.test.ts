/** The completion scripts, each in its own shell, against the table of commands. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { commands, commonOptions } from "../../../src/cli/commands.ts";
import { SHELLS, VALUES } from "../../../src/cli/completion-table.ts";
import { formatNames, sourceOptions, targetOptions } from "../../../src/index.ts";
import { completions } from "../../support/completing-shells.ts";
import { run } from "./world.ts";

const library = { formatNames, sourceOptions, targetOptions };
const folder = mkdtempSync(join(tmpdir(), "inplace-convert-completed-"));
for (const name of ["disk.qed", "-odd.qed"]) writeFileSync(join(folder, name), "");
mkdirSync(join(folder, "archive"));
afterAll(() => rmSync(folder, { recursive: true }));

const names = commands.map(({ name }) => name);
const optionsOf = (name: string) => [
  ...(commands.find((each) => each.name === name)?.options?.() ?? []),
  ...commonOptions(),
];
/** What is offered for a line in every shell, whatever its order. */
const everywhere: readonly (readonly [string, readonly string[]])[] = [
  ["", names],
  ["compl", ["completion"]],
  ["completion ", SHELLS],
  ["completion z", ["zsh"]],
  ["convert disk.qed ", formatNames()],
  ["convert disk.qed vh", ["vhd", "vhdx"]],
  ["plan -S 4k --compact disk.qed par", ["parallels"]],
  ["convert -f ", formatNames()],
  ["convert --format vh", ["vhd", "vhdx"]],
  ["compare -F ra", ["raw"]],
  ["convert --verify ", ["full", "mapping"]],
  ["info --output j", ["json"]],
  ["check -r ", ["leaks", "all"]],
  ["check -T write", ["writeback", "writethrough"]],
  ["plan --drop s", ["snapshots"]],
  ["setmap disk.qed ", []],
  ["demo -o ", []],
  // Names that hold what bash parts words at.
  ["convert a:b.qed vh", ["vhd", "vhdx"]],
  ["convert a=b.qed vh", ["vhd", "vhdx"]],
  ["convert -- disk.qed vh", ["vhd", "vhdx"]],
  ["setmap --", setOf("setmap")],
  ...names.map((name) => [`${name} --`, setOf(name)] as const),
];

function setOf(name: string): string[] {
  const longs = optionsOf(name).flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]));
  return [...longs, "--help", "--version"];
}

/** `-o`, and files, where shells answer in their own ways. */
const QCOW2 = targetOptions("qcow2").map(({ name }) => name);
const apart: Readonly<Record<(typeof SHELLS)[number], readonly (readonly [string, readonly string[]])[]>> = {
  bash: [
    ["convert disk.qed qcow2 -o ", [...QCOW2.map((name) => `${name}=`), "size_from=", "help"]],
    ["convert disk.qed qcow2 -o comp", ["compat=", "compression_type="]],
    ["convert disk.qed -f raw vpc -o subformat=", ["dynamic", "fixed"]],
    ["convert disk.qed qcow2 -o compat=1.1,refc", ["1.1,refcount_bits="]],
    ["convert disk.qed qcow2 --target-format-options=lazy", ["lazy_refcounts="]],
    ["convert a:b.qed qcow2 -o comp", ["compat=", "compression_type="]],
    // An image that is called as a format is.
    ["convert vmdk -o sub", []],
    ["convert --format=vh", ["vhd", "vhdx"]],
    ["info -o size_from=c", ["current", "chs"]],
    ["plan --drop bitmaps,s", ["bitmaps,snapshots"]],
    // Left to bash.
    ["info -- -", []],
    ["convert d", []],
    ["convert --journal ", []],
  ],
  zsh: [
    ["convert disk.qed qcow2 -o ", [...QCOW2, "size_from", "help"]],
    ["convert disk.qed qcow2 -o comp", ["compat", "compression_type"]],
    ["convert disk.qed -f raw vpc -o subformat=", ["dynamic", "fixed"]],
    ["convert disk.qed qcow2 -o compat=1.1,refc", ["refcount_bits"]],
    ["convert disk.qed qcow2 --target-format-options=lazy", ["lazy_refcounts"]],
    ["convert --format=vh", ["vhd", "vhdx"]],
    ["info -o size_from=c", ["current", "chs"]],
    ["convert a:b.qed qcow2 -o comp", ["compat", "compression_type"]],
    ["plan --drop bitmaps,s", ["snapshots"]],
    ["info -- -", ["-odd.qed"]],
    ["convert d", ["disk.qed"]],
    ["convert --journal d", ["disk.qed"]],
    ["demo --keep ", ["archive"]],
  ],
  fish: [
    ["convert disk.qed qcow2 -o compr", ["compression_type=zlib", "compression_type=zstd"]],
    ["convert disk.qed -f raw vpc -o subformat=", ["subformat=dynamic", "subformat=fixed"]],
    ["convert disk.qed qcow2 -o compat=1.1,refc", ["compat=1.1,refcount_bits="]],
    ["convert --format=vh", ["--format=vhd", "--format=vhdx"]],
    ["info -o size_from=c", ["size_from=chs", "size_from=current"]],
    ["convert a:b.qed qcow2 -o compr", ["compression_type=zlib", "compression_type=zstd"]],
    ["plan --drop bitmaps,s", ["bitmaps,snapshots"]],
    ["info -- -", ["-odd.qed"]],
    ["convert d", ["disk.qed"]],
    ["convert --journal d", ["disk.qed"]],
    ["demo --keep a", ["archive/"]],
  ],
};

describe.each(SHELLS)("%s", (shell) => {
  test("offers what the table of commands has", async () => {
    const { stdout, exitCode } = await run(`completion ${shell}`, library);
    expect(exitCode).toBe(0);
    const cases = [...everywhere, ...apart[shell]];
    const lines = cases.map(([line]) => line);
    const answers = completions(shell, stdout, lines, folder);
    // Before a command only bash's `-` of a first word is an option.
    const offered = answers.map((words, at) =>
      (lines[at] === "" ? words.filter((word) => !word.startsWith("-")) : words).sort(),
    );
    expect(lines.map((line, at) => [line, offered[at]])).toEqual(
      cases.map(([line, words]) => [line, [...words].sort()]),
    );
  });
});

test("the script comes in JSON too", async () => {
  const [plain, json] = [await run("completion fish", library), await run("completion fish --output json", library)];
  expect(JSON.parse(json.stdout)).toEqual({ shell: "fish", script: plain.stdout });
});

test.each([
  ["completion", "Cannot go on without a shell: inplace-convert completion bash|zsh|fish"],
  ["completion csh", "Cannot write a completion script for csh: the shells are bash, zsh, fish"],
])("%s is refused", async (words, message) => {
  const { exitCode, stdout, stderr } = await run(words, library);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test("values that commander is not told belong to options that there are", () => {
  const known = names.flatMap((name) => optionsOf(name).map((option) => option.attributeName()));
  expect(Object.keys(VALUES).filter((name) => !known.includes(name))).toEqual([]);
});
