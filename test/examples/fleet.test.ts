/** examples/fleet.yml with the reusable workflow that it calls: list, plan, a job a shard, collect. */

import { appendFileSync, copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner } from "../action/runner.ts";
import { ourWorkflow, readWorkflow } from "../support/workflow.ts";
import { asText, type Contexts, filled } from "./expression.ts";
import { type ImageServer, serveImages } from "./image-server.ts";
import { type JobResult, runJob, runNeeded, World } from "./job-runner.ts";

const example = readWorkflow("examples/fleet.yml").workflow;
const { list, fleet: caller } = example.jobs;
if (list === undefined || caller === undefined) throw new Error("The example lacks its jobs");
const fleet = readWorkflow(ourWorkflow(caller.uses) ?? "").workflow;

/** What the caller hands over, with the defaults of what it does not. */
function inputsOf(contexts: Contexts): Contexts {
  const declared = Object.entries(fleet.on.workflow_call?.inputs ?? {});
  const given = Object.entries(caller?.with ?? {}).map(([name, text]) => [name, filled(String(text), contexts)]);
  const defaults = declared.map(([name, { default: value = null }]) => [name, value]);
  return { ...Object.fromEntries(defaults), ...Object.fromEntries(given) };
}

async function runFleet(world: World, server: ImageServer, more: Contexts = {}, beforeCollect = () => {}) {
  const inputs = { "base-url": server.url };
  const listed = await runJob(world, list as NonNullable<typeof list>, { inputs });
  const needs = { list: { outputs: listed.outputs } };
  const contexts = { inputs: { ...inputsOf({ inputs, needs }), ...more }, secrets: {} };
  const plan = await runNeeded(world, fleet, "plan", contexts, {});
  const convert = await runNeeded(world, fleet, "convert", contexts, { plan });
  beforeCollect();
  const collect = await runNeeded(world, fleet, "collect", contexts, { plan, convert });
  return { listed, plan: plan[0] as JobResult, convert, collect: collect[0] };
}

test("all images come out converted, one report over all", async () => {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  const guests = Array.from({ length: 3 }, (_, at) => maker.makeImage(`disk-${at}.qed`, "qed", at + 1));
  for (const name of maker.names) copyFileSync(maker.path(name), join(server.folder, name));
  server.list();
  const { plan, convert, collect } = await runFleet(world, server, { shards: "2" });
  expect({ result: plan.result, log: plan.log }).toEqual({ result: "success", log: expect.any(String) });
  expect(convert.map(({ result }) => result)).toEqual(["success", "success"]);
  expect({ ...collect, runner: null, log: "" }).toMatchObject({
    result: "success",
    outputs: { changed: "true", "check-result": "clean" },
  });
  const kept = [1, 2].flatMap((shard) =>
    readdirSync(world.artifact(`fleet-images-${shard}`)).map((name) =>
      join(world.artifact(`fleet-images-${shard}`), name),
    ),
  );
  const found = kept
    .sort((a, b) => (a.slice(-12) < b.slice(-12) ? -1 : 1))
    .map((path) => {
      copyFileSync(path, maker.path("kept.qcow2"));
      expect(maker.cleanFormat("kept.qcow2")).toBe("qcow2");
      return maker.guestDigest("kept.qcow2");
    });
  expect(found).toEqual(guests);
  const report = JSON.parse(readFileSync(join(world.artifact("fleet-report"), "fleet.json"), "utf8"));
  expect(report.images).toHaveLength(3);
});

test("an image that is not what the list says fails its shard and the whole, and no other shard", async () => {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  for (const name of ["a.qed", "b.qed"]) {
    maker.makeImage(name, "qed");
    copyFileSync(maker.path(name), join(server.folder, name));
  }
  server.list();
  appendFileSync(join(server.folder, "b.qed"), "more");
  const { convert, collect } = await runFleet(world, server);
  expect(convert.map(({ result }) => result)).toEqual(["success", "failure"]);
  expect(collect?.result).toBe("failure");
});

test("a shard whose runner died without a report fails the whole", async () => {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  for (const name of ["a.qed", "b.qed"]) {
    maker.makeImage(name, "qed");
    copyFileSync(maker.path(name), join(server.folder, name));
  }
  server.list();
  const die = () => rmSync(world.artifact("fleet-report-2"), { recursive: true });
  const { convert, collect } = await runFleet(world, server, {}, die);
  expect(convert.map(({ result }) => result)).toEqual(["success", "success"]);
  expect({ result: collect?.result, log: collect?.log }).toEqual({
    result: "failure",
    log: expect.stringContaining("found 1 report of 2"),
  });
});

test("no image, no job", async () => {
  const [world, server] = [new World(), await serveImages()];
  server.list();
  const listed = await runJob(world, list, { inputs: { "base-url": server.url } });
  expect(listed).toMatchObject({ result: "success", outputs: { images: "" } });
});

test("a thousand lines are one plan", async () => {
  const lines = Array.from({ length: 1000 }, (_, at) => `https://images.example.com/golden/disk-${at}.qed`);
  const contexts = { inputs: { ...inputsOf({ inputs: {}, needs: {} }), images: lines.join("\n") }, secrets: {} };
  const [plan] = await runNeeded(new World(), fleet, "plan", contexts, {});
  expect(plan).toMatchObject({ result: "success", outputs: { "matrix-empty": "false", "shard-count": "256" } });
  const { include } = JSON.parse(asText(plan?.outputs.matrix ?? null)) as { include: { images: string }[] };
  expect(include.flatMap(({ images }) => images.split("\n")).sort()).toEqual([...lines].sort());
});
