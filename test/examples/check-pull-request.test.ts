/** examples/check-pull-request.yml: what a pull request sees of images that are clean, that leak, that are corrupt. */

import { appendFileSync, mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Runner } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { type JobResult, runJob, World } from "./job-runner.ts";

const { workflow } = readWorkflow("examples/check-pull-request.yml");

async function check(before: (runner: Runner) => void): Promise<JobResult> {
  const { check: job } = workflow.jobs;
  if (job === undefined) throw new Error("There is no job");
  return runJob(new World(), job, {}, before);
}

test("clean images pass, and nothing is written", async () => {
  let digests: string[] = [];
  const { result, log, runner, summary } = await check((runner) => {
    runner.makeImage("images/a.qcow2", "qcow2");
    runner.makeImage("images/deep/b.qed", "qed");
    digests = [runner.sha256("images/a.qcow2"), runner.sha256("images/deep/b.qed")];
  });
  expect({ result, log }).toEqual({
    result: "success",
    log: expect.stringContaining("clean, 0 corruptions, 0 leaked"),
  });
  expect([runner.sha256("images/a.qcow2"), runner.sha256("images/deep/b.qed")]).toEqual(digests);
  expect(summary).not.toBe("");
});

test("one kind of image alone passes too", async () => {
  const { result, log } = await check((runner) => {
    runner.makeImage("images/a.qcow2", "qcow2");
  });
  expect({ result, log }).toEqual({ result: "success", log: expect.any(String) });
});

test("a pull request that takes the last image away passes", async () => {
  const { result, log } = await check((runner) => mkdirSync(runner.path("images")));
  expect({ result, log }).toEqual({ result: "success", log: expect.not.stringContaining("corruptions") });
});

test("a leak fails it, and is told once more at the end", async () => {
  const { result, log } = await check((runner) => {
    runner.makeImage("images/a.qcow2", "qcow2");
    leak(runner, "images/b.qed");
  });
  expect(result).toBe("failure");
  expect(log).toMatch(/^leaks, 0 corruptions, [1-9]\d* leaked clusters$/m);
});

/** A cluster past the end that no table points at: QED has no refcounts, so that it leaks. */
function leak(runner: Runner, name: string): void {
  runner.makeImage(name, "qed");
  appendFileSync(runner.path(name), Buffer.alloc(65_536, 1));
}
