/** examples/nightly-rebuild.yml with a server in place of Debian's, and a QEMU that only looks at the image. */

import { appendFileSync, copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { serveImages } from "./image-server.ts";
import { runJob, World } from "./job-runner.ts";

const { rebuild } = readWorkflow("examples/nightly-rebuild.yml").workflow.jobs;
const IMAGE = "debian-13-nocloud-amd64.qcow2";

async function prepared() {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  world.instead.push(["https://cloud.debian.org/images/cloud/trixie/latest", server.url]);
  const guest = maker.makeImage(IMAGE, "qcow2");
  copyFileSync(maker.path(IMAGE), join(server.folder, IMAGE));
  server.list();
  world.program("sudo", "exit 0");
  return { world, server, maker, guest };
}

test("the image is proven, converted, booted and kept", async () => {
  const { world, maker, guest } = await prepared();
  world.program(
    "qemu-system-x86_64",
    `for word; do case "$word" in file=*) image="\${word#file=}"; image="\${image%%,*}";; esac; done
     qemu-img check -f qed "$image"
     echo 'debian login: ' > console.log
     exec sleep 60`,
  );
  const { result, log, runner } = await runJob(world, rebuild as NonNullable<typeof rebuild>, {});
  expect({ result, log }).toEqual({ result: "success", log: expect.any(String) });
  expect(readdirSync(world.artifact("nightly")).sort()).toEqual([
    "debian-13-nocloud-amd64.qed",
    "report.html",
    "report.json",
  ]);
  copyFileSync(join(world.artifact("nightly"), "debian-13-nocloud-amd64.qed"), maker.path("kept.qed"));
  expect(maker.cleanFormat("kept.qed")).toBe("qed");
  expect(maker.guestDigest("kept.qed")).toBe(guest);
  expect(runner.names).toContain("build");
});

test("an image that does not boot is not kept", async () => {
  const { world } = await prepared();
  world.program("qemu-system-x86_64", "echo 'no bootable device' > console.log");
  const { result, log } = await runJob(world, rebuild as NonNullable<typeof rebuild>, {});
  expect({ result, log }).toEqual({ result: "failure", log: expect.stringContaining("no bootable device") });
  expect(() => readdirSync(world.artifact("nightly"))).toThrow();
});

test("an image that Debian's list does not vouch for is not converted", async () => {
  const { world, server } = await prepared();
  appendFileSync(join(server.folder, IMAGE), "more");
  const { result } = await runJob(world, rebuild as NonNullable<typeof rebuild>, {});
  expect(result).toBe("failure");
});
