/** The job of .github/workflows/ci.yml that starts the action on every system, on this one. */

import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { runJob, World } from "./job-runner.ts";

test("there and back: the guest is the same", async () => {
  const { action } = readWorkflow(".github/workflows/ci.yml").workflow.jobs;
  const { result, log, runner } = await runJob(new World(), action ?? {}, {}, (runner) => {
    symlinkSync(join(root, "dist"), runner.path("dist"));
  });
  expect({ result, log }).toEqual({
    result: "success",
    log: expect.stringContaining("A raw disk becomes qcow2"),
  });
  expect(runner.cleanFormat("build/demo.qcow2")).toBe("qcow2");
});
