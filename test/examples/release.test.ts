/** .github/workflows/release.yml, its jobs with permissions: what they make of a tag, with a `gh` and `npm` that only listen. */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Runner, root, tool } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { type JobResult, runJob, World } from "./job-runner.ts";

const { release, publish } = readWorkflow(".github/workflows/release.yml").workflow.jobs;

/** @param tags all that the repository has */
async function released(version: string, tags: readonly string[], hasMajorTag = true) {
  const world = new World();
  // Of two calls for the tag vX the first, which moves it, fails where there is none.
  world.program(
    "gh",
    `echo "$*" >> "$WORLD/calls"
     case "$*" in *PATCH*) ${hasMajorTag ? "exit 0" : "exit 1"} ;; esac`,
  );
  Object.assign(world.variables, {
    GITHUB_REF_NAME: `v${version}`,
    GITHUB_REPOSITORY: "org/inplace-convert",
    GITHUB_SHA: "c0ffee",
  });
  const result: JobResult = await runJob(world, release ?? {}, { github: { token: "token" } }, (runner) => {
    checkOut(runner, version, tags);
  });
  const calls = existsSync(join(world.folder, "calls")) ? readFileSync(join(world.folder, "calls"), "utf8") : "";
  return { world, result, calls: calls.trim().split("\n") };
}

function checkOut(runner: Runner, version: string, tags: readonly string[]): void {
  const files = {
    "package.json": JSON.stringify({ name: "inplace-convert", version, type: "module", files: ["dist"] }),
    "CHANGELOG.md": `# Changelog\n\n## ${version} (2026-01-02)\n\n- Something new\n\n## 0.0.1 (2025-01-02)\n\n- Old\n`,
    "dist/index.mjs": "export {};\n",
  };
  for (const folder of ["dist", "scripts"]) mkdirSync(runner.path(folder));
  for (const [name, text] of Object.entries(files)) writeFileSync(runner.path(name), text);
  for (const name of ["release.ts", "bundled.ts"])
    copyFileSync(join(root, "scripts", name), runner.path(`scripts/${name}`));
  const git = (...words: string[]) =>
    tool("git", "-C", runner.workspace, "-c", "user.name=a", "-c", "user.email=a@example.com", ...words);
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "All");
  for (const tag of tags) git("tag", tag);
}

test("packs, attests, releases with the changelog's section, moves the major tag", async () => {
  const { world, result, calls } = await released("1.2.0", ["v1.1.0", "v1.2.0", "v1", "v2.0.0", "v10.0.0"]);
  expect({ result: result.result, log: result.log }).toEqual({ result: "success", log: expect.any(String) });
  expect(calls).toEqual([
    "release create v1.2.0 --verify-tag --notes-file notes.md inplace-convert-1.2.0.tgz SHA256SUMS",
    "api --method PATCH repos/org/inplace-convert/git/refs/tags/v1 -f sha=c0ffee -F force=true",
  ]);
  expect(readFileSync(result.runner.path("notes.md"), "utf8")).toBe("- Something new\n");
  expect(readFileSync(result.runner.path("SHA256SUMS"), "utf8")).toBe(
    `${result.runner.sha256("inplace-convert-1.2.0.tgz")}  inplace-convert-1.2.0.tgz\n`,
  );
  expect(world.attested).toEqual([{ name: "dist/*.mjs\ninplace-convert-*.tgz\n", digest: "" }]);
});

test("the first release of a major version makes its tag", async () => {
  const { calls } = await released("2.0.0", ["v1.2.0", "v2.0.0"], false);
  expect(calls.slice(1)).toEqual([
    "api --method PATCH repos/org/inplace-convert/git/refs/tags/v2 -f sha=c0ffee -F force=true",
    "api --method POST repos/org/inplace-convert/git/refs -f ref=refs/tags/v2 -f sha=c0ffee",
  ]);
});

test("a fix of an older version leaves the major tag where it is", async () => {
  const { result, calls } = await released("1.9.1", ["v1.9.0", "v1.9.1", "v1.10.0", "v1"]);
  expect({ result: result.result, calls: calls.length }).toEqual({ result: "success", calls: 1 });
  expect(result.log).toContain("v1 stays with v1.10.0");
});

/** What `npm` is asked for where the release has `tarball` and a list that names `listed`. */
async function published(tarball: string, listed: string) {
  const world = new World();
  world.program("gh", `echo "gh $*" >> "$WORLD/calls"\ncp "$WORLD"/released/* .`);
  world.program("npm", `echo "npm $*" >> "$WORLD/calls"`);
  world.variables.GITHUB_REF_NAME = "v1.2.0";
  mkdirSync(join(world.folder, "released"));
  writeFileSync(join(world.folder, "released/inplace-convert-1.2.0.tgz"), tarball);
  const digest = createHash("sha256").update(listed).digest("hex");
  writeFileSync(join(world.folder, "released/SHA256SUMS"), `${digest}  inplace-convert-1.2.0.tgz\n`);
  const { result } = await runJob(world, publish ?? {}, {
    github: { token: "token", repository: "org/inplace-convert" },
  });
  return { result, calls: readFileSync(join(world.folder, "calls"), "utf8").trim().split("\n") };
}

test("what was released is published, with provenance", async () => {
  const { result, calls } = await published("packed", "packed");
  expect(result).toBe("success");
  expect(calls).toEqual([
    "gh release download v1.2.0 --pattern inplace-convert-*.tgz --pattern SHA256SUMS",
    "npm publish --provenance --access public --ignore-scripts ./inplace-convert-1.2.0.tgz",
  ]);
});

test("what is no longer what was released is not published", async () => {
  const { result, calls } = await published("another", "packed");
  expect({ result, calls: calls.length }).toEqual({ result: "failure", calls: 1 });
});
