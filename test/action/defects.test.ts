/** What nobody expected: one sentence, and a trace for those alone who debug. */

import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inputDefaults } from "../../src/action/inputs/input-names.ts";
import { NEVER_OPENS } from "../support/never-opens.ts";
import { Runner, root } from "./runner.ts";

const TRACE = /^\s+at .+:\d+:\d+\)?$|%0A\s+at /m;

test.each([
  ["", false],
  ["1", true],
] as const)("main, where the runner's own file is gone, RUNNER_DEBUG=%s", async (debug, isTraced) => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const environment = { GITHUB_OUTPUT: "/nowhere/output", RUNNER_DEBUG: debug };
  const { exitCode, log, annotations } = await runner.main(
    { image: "disk.qed", mode: "check" },
    undefined,
    environment,
  );
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  expect(annotations[0]?.message).toContain("/nowhere/output");
  expect(TRACE.test(log)).toBe(isTraced);
});

test.each([
  ["", false],
  ["1", true],
] as const)("post, where the step's state is damaged, RUNNER_DEBUG=%s", async (debug, isTraced) => {
  const { exitCode, log, annotations } = await new Runner().post({ "STATE_open-journal-1": "{", RUNNER_DEBUG: debug });
  expect(exitCode).toBe(1);
  expect(annotations).toMatchObject([{ kind: "error", title: "A defect in inplace-convert" }]);
  expect(TRACE.test(log)).toBe(isTraced);
});

test("an image whose work ends in a defect is told without a trace, in the outputs too", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  // A state that can't be saved is found when the journal is about to be made.
  const environment = { GITHUB_STATE: "/nowhere/state" };
  const { exitCode, log, outputs, annotations } = await runner.main(
    { image: "disk.qed", "target-format": "qcow2" },
    undefined,
    environment,
  );
  expect(exitCode).toBe(1);
  expect(annotations[0]?.file).toBe("disk.qed");
  expect(TRACE.test(log)).toBe(false);
  expect(outputs.images).not.toMatch(/\\n\s+at /);
  expect(runner.names).toEqual(["disk.qed"]);
});

test("a log that takes nothing more: the image is converted, the step fails, no trace", () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  for (const name of ["output", "state", "summary"]) writeFileSync(join(runner.temp, name), "");
  const given = { ...inputDefaults, image: "disk.qed", "target-format": "qcow2" };
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [join(process.env.DIST ?? join(root, "dist"), "main.mjs")], {
    cwd: runner.workspace,
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      GITHUB_WORKSPACE: runner.workspace,
      GITHUB_OUTPUT: join(runner.temp, "output"),
      GITHUB_STATE: join(runner.temp, "state"),
      GITHUB_STEP_SUMMARY: join(runner.temp, "summary"),
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    },
  });
  closeSync(full);
  expect([status, stderr]).toEqual([1, ""]);
  expect(runner.names).toEqual(["disk.qcow2"]);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
});

test("main and post that find nothing more to wait for, with their work not done, fail and say so", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const preload = join(runner.temp, "preload.mjs");
  writeFileSync(preload, NEVER_OPENS);
  const environment = { NODE_OPTIONS: `--import=${preload}` };
  const journal = {
    image: runner.path("disk.qed"),
    journal: runner.path("disk.qed.inplace-journal"),
    of: "conversion",
  };
  writeFileSync(journal.journal, "x");
  const main = await runner.main({ image: "disk.qed", "target-format": "qcow2" }, undefined, environment);
  const post = await runner.post({ "STATE_open-journal-1": JSON.stringify(journal), ...environment });
  for (const { exitCode, annotations } of [main, post]) {
    expect(exitCode).toBe(1);
    expect(annotations).toMatchObject([
      { kind: "error", message: expect.stringContaining("ended before its work did") },
    ]);
  }
});
