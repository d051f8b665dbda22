/** examples/attest-and-verify.yml with a build of a moment and a `gh` that knows what was attested. */

import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PREDICATE_TYPE } from "../../src/action/report/predicate.ts";
import type { Runner } from "../action/runner.ts";
import { statementMistakes } from "../support/in-toto.ts";
import { readWorkflow } from "../support/workflow.ts";
import { runJob, runNeeded, World } from "./job-runner.ts";

const { workflow } = readWorkflow("examples/attest-and-verify.yml");
const github = { token: "token", repository: "org/images", ref: "refs/tags/v1" };

/** What is attested lies in the world's folder under its type and the file's digest. */
const GH = `test "$1 $2 $4 $5 $6 $8 $9" = "attestation verify --repo org/images --predicate-type --format json"
  type="$(jq --null-input --raw-output --arg type "$7" '$type | @uri')"
  cat "$WORLD/attestations/$type/$(sha256sum < "$3" | cut -d ' ' -f 1).json"`;

async function converted(world: World) {
  world.program("gh", GH);
  const guests: string[] = [];
  const build = (runner: Runner) => {
    for (const name of ["a", "b"]) guests.push(runner.makeImage(`build/${name}.raw`, "raw", guests.length + 1));
    writeFileSync(runner.path("build-images.sh"), "#!/bin/sh\ntest -f build/b.raw\n", { mode: 0o755 });
  };
  const convert = await runJob(world, workflow.jobs.convert ?? {}, { github }, build);
  expect({ result: convert.result, log: convert.log }).toEqual({ result: "success", log: expect.any(String) });
  return { convert, guests };
}

function verified(world: World, convert: Awaited<ReturnType<typeof converted>>["convert"]) {
  return runNeeded(world, workflow, "verify", { github }, { convert: [convert] });
}

test("the images are attested to hold the guests of the raw disks, and verified", async () => {
  const world = new World();
  const { convert, guests } = await converted(world);
  const images = ["a.qcow2", "b.qcow2"].map((name, at) => {
    copyFileSync(join(world.artifact("images"), name), convert.runner.path(name));
    expect(convert.runner.guestDigest(name)).toBe(guests[at]);
    return { name, digest: `sha256:${convert.runner.sha256(name)}` };
  });
  const withType = images.map((image) => ({ ...image, predicateType: PREDICATE_TYPE }));
  expect(world.attested).toEqual([...images, ...withType]);
  const [verify] = await verified(world, convert);
  expect({ result: verify?.result, log: verify?.log }).toEqual({ result: "success", log: "true\ntrue\n" });
  const { statement } = JSON.parse(readFileSync(verify?.runner.path("verified.json") ?? "", "utf8"))[0]
    .verificationResult;
  expect(statementMistakes(statement)).toEqual([]);
});

test("what is attested to hold another guest, none, or a layer of it, is not passed, nor what was changed since", async () => {
  const world = new World();
  const { convert } = await converted(world);
  const digest = world.attested[1]?.digest.replace("sha256:", "");
  const path = join(world.folder, "attestations", encodeURIComponent(PREDICATE_TYPE), `${digest}.json`);
  const right = readFileSync(path, "utf8");
  for (const changes of [
    { digestAfter: { sha256: "0".repeat(64) } },
    { digestBefore: undefined, digestAfter: undefined },
    { covers: "layer" },
  ]) {
    const attestations = JSON.parse(right);
    Object.assign(attestations[0].verificationResult.statement.predicate.images[1].guest, changes);
    writeFileSync(path, JSON.stringify(attestations));
    const [verify] = await verified(world, convert);
    expect({ changes, result: verify?.result, log: verify?.log }).toEqual({
      changes,
      result: "failure",
      log: expect.stringContaining("::error::No attestation says that build/b.qcow2 holds its source's guest"),
    });
  }
  writeFileSync(path, right);
  appendFileSync(join(world.artifact("images"), "b.qcow2"), "more");
  const [verify] = await verified(world, convert);
  expect({ result: verify?.result, log: verify?.log }).toEqual({
    result: "failure",
    log: expect.stringContaining(`${encodeURIComponent(PREDICATE_TYPE)}/`),
  });
});
