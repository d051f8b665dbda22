/** What nobody expected: one sentence, and a trace for those alone who debug. */

import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

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
