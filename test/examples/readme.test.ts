/** README's workflow, and the step that it shows by itself, run as the examples are. */

import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { Runner } from "../action/runner.ts";
import { blocks } from "../support/readme.ts";
import type { Job, Step, Workflow } from "../support/workflow.ts";
import { serveImages } from "./image-server.ts";
import { runJob, World } from "./job-runner.ts";

const [whole, steps, ...more] = blocks("yaml").map((block) => load(block));

test("a workflow, and a list of steps", () => {
  expect(Object.keys((whole as Workflow).jobs)).toEqual(["convert"]);
  expect(steps).toHaveLength(1);
  expect(more).toEqual([]);
});

test("the workflow converts what its build made, and says where it is", async () => {
  const { convert } = (whole as Workflow).jobs;
  let guest = "";
  const { result, log, runner } = await runJob(new World(), convert as Job, {}, (before) => {
    guest = before.makeImage("build/disk.raw", "raw");
    writeFileSync(before.path("build-image.sh"), "#!/bin/sh\ntest -f build/disk.raw\n", { mode: 0o755 });
  });
  expect({ result, log }).toEqual({ result: "success", log: expect.stringMatching(/ build\/disk\.qcow2$/m) });
  expect(runner.cleanFormat("build/disk.qcow2")).toBe("qcow2");
  expect(runner.guestDigest("build/disk.qcow2")).toBe(guest);
});

test("the step takes a packed download, and writes its page", async () => {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  world.instead.push(["https://example.org/images", server.url]);
  const guest = maker.makeImage("disk.qcow2", "qcow2");
  execFileSync("xz", ["--keep", "-0", maker.path("disk.qcow2")]);
  copyFileSync(maker.path("disk.qcow2.xz"), join(server.folder, "disk.qcow2.xz"));
  server.list();
  const { result, log, runner } = await runJob(world, { steps: steps as readonly Step[] }, {});
  expect({ result, log }).toEqual({ result: "success", log: expect.any(String) });
  expect(runner.cleanFormat("disk.qed")).toBe("qed");
  expect(runner.guestDigest("disk.qed")).toBe(guest);
  expect(runner.names).toContain("report.html");
});
