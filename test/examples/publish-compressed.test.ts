/** examples/publish-compressed.yml with a build of a moment and a `gh` that keeps what is uploaded. */

import { copyFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tool } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { runJob, World } from "./job-runner.ts";

const { publish } = readWorkflow("examples/publish-compressed.yml").workflow.jobs;
const github = { token: "token", repository: "org/images", ref: "refs/tags/v1.0.0", ref_name: "v1.0.0" };

test("what the build made is published as short as its data, attested", async () => {
  const world = new World();
  mkdirSync(join(world.folder, "uploaded"));
  world.program(
    "gh",
    `test "$1 $2 $3 $4 $5" = "release create v1.0.0 --verify-tag --generate-notes" && cp "$6" "$WORLD/uploaded/"`,
  );
  let guest = "";
  const { result, log, runner } = await runJob(world, publish as NonNullable<typeof publish>, { github }, (before) => {
    guest = before.makeImage("build/disk.raw", "raw");
    writeFileSync(before.path("build-image.sh"), "#!/bin/sh\ntest -f build/disk.raw\n", { mode: 0o755 });
  });
  expect({ result, log }).toEqual({ result: "success", log: expect.any(String) });
  const uploaded = join(world.folder, "uploaded/disk.qcow2");
  copyFileSync(uploaded, runner.path("published.qcow2"));
  expect(runner.cleanFormat("published.qcow2")).toBe("qcow2");
  expect(runner.guestDigest("published.qcow2")).toBe(guest);
  const checked = JSON.parse(tool("qemu-img", "check", "--output=json", runner.path("published.qcow2")));
  expect(checked["compressed-clusters"]).toBe(checked["allocated-clusters"]);
  expect(statSync(uploaded).size).toBeLessThan(1024 ** 2);
  expect(world.attested).toEqual([{ name: "build/disk.qcow2", digest: `sha256:${runner.sha256("published.qcow2")}` }]);
});
