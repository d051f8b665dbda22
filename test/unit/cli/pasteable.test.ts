/** Advice that names a command of ours can be pasted: a shell and the command line's own program take it as it was meant. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CommandReference, command, commandText, option } from "../../../src/bytes/sentence.ts";
import { commands, commonOptions } from "../../../src/cli/commands.ts";
import { nextStepLines, undoLines } from "../../../src/cli/next-steps.ts";
import { run } from "./world.ts";

const SOURCE = join(import.meta.dirname, "../../../src");
const text = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(SOURCE, name), "utf8"))
  .join("\n");

const NAMES = ["disk.qcow2", "my disk.qcow2", "it's $HOME.img", "-rf", "a;b", "a\nb", "ü/*"];

/** The words that a shell makes of a line, without the program's. */
function words(line: string): string[] {
  expect(line).toMatch(/^inplace-convert /);
  // No shell has to take a hyphen in a function's name.
  const program = `ours() { printf '%s\\0' "$@"; }`;
  const called = line.replace("inplace-convert", "ours");
  return execFileSync("sh", ["-c", `${program}\n${called}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

async function acceptedFor(line: string): Promise<readonly unknown[] | undefined> {
  const { calls, stderr } = await run(words(line));
  expect(stderr).not.toMatch(/unknown|missing|Cannot go on without|too many/);
  return calls.find(([name]) => name !== "unfinished");
}

/** Every command that an advice in the source names, with its options. */
const advised = [...text.matchAll(/[^.\w]command\("(\w+)", [\w.]+((?:, "[^"]*")*)\)/g)].map(([, name, options]) => ({
  name: name as CommandReference["command"],
  options: [...(options as string).matchAll(/"([^"]*)"/g)].map(([, word]) => word as string),
}));

test("there are as many as there were when this was written, or more", () => {
  expect(advised.length).toBeGreaterThanOrEqual(3);
});

test.each(advised)("$name $options", async ({ name, options }) => {
  for (const path of NAMES) {
    const call = await acceptedFor(`${command(name, path, ...options)}`);
    expect(call?.slice(0, 2)).toEqual([name, path.startsWith("-") ? `./${path}` : path]);
  }
});

test.each(NAMES)("the ways on from %j", async (path) => {
  const reference = (name: "resume" | "rollback"): CommandReference => ({
    ref: "command",
    command: name,
    options: [],
    path,
  });
  const on = nextStepLines({ finish: reference("resume"), putBack: reference("rollback") }, "inplace-convert");
  // A name may hold a line break; a command is all of its line.
  for (const line of [...on, ...undoLines(path, "inplace-convert")].filter((each) => each.startsWith("  "))) {
    const call = await acceptedFor(line.trim());
    expect(["resume", "rollback"]).toContain(call?.[0]);
    expect(call?.[1]).toBe(path.startsWith("-") ? `./${path}` : path);
  }
  expect(commandText(reference("resume"), "node dist/cli.mjs")).toMatch(/^node dist\/cli\.mjs resume /);
});

test("every option that an advice names is one of the command line's", () => {
  const known = [...commands.flatMap(({ options }) => options?.() ?? []), ...commonOptions()];
  const named = [...text.matchAll(/[^.\w]option\("([\w-]+)"/g)].map(([, name]) => name as string);
  expect(named.length).toBeGreaterThanOrEqual(8);
  for (const name of named) {
    const [flag = ""] = `${option(name)}`.split(" ");
    expect(
      known.some(({ short, long }) => short === flag || long === flag),
      flag,
    ).toBe(true);
  }
});
