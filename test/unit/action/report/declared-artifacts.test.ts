/** Lines of $GITHUB_ARTIFACTS: none that a runner would fail the step for. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { declarationsOf, declareArtifacts } from "../../../../src/action/report/declared-artifacts.ts";
import { result } from "../../../support/step-results.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-artifacts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const declared = (paths: readonly string[], earlier: readonly string[] = []) =>
  declarationsOf(
    paths.map((path) => result(path)),
    earlier,
    process.cwd(),
  );

test("one line a file, relative to the workspace where it lies there", () => {
  const { lines, leftOut } = declared(["build/a b.qcow2", resolve("c.qcow2"), "/elsewhere/d.qcow2", "../e.qcow2"]);
  expect(lines).toEqual(["build/a b.qcow2", "c.qcow2", "/elsewhere/d.qcow2", resolve("../e.qcow2")]);
  expect(leftOut).toEqual([]);
});

test("all files of an image", () => {
  const files = ["disk.vmdk", "disk-flat.vmdk"].map((path) => ({ path, sha256: "0".repeat(64) }));
  expect(declarationsOf([result("disk.vmdk", { files })], [], process.cwd()).lines).toEqual(
    files.map(({ path }) => path),
  );
  expect(declarationsOf([result("gone", { path: undefined })], [], process.cwd()).lines).toEqual([]);
});

test("what a runner would take for something else is said to be a file", () => {
  const { lines } = declared(["#1.raw", " a.raw", `b@sha256:${"0".repeat(64)}`]);
  expect(lines).toEqual(["file://#1.raw", "file:// a.raw", `file://b@sha256:${"0".repeat(64)}`]);
});

test("what a runner would fail the step for is left out, with a sentence", () => {
  const { lines, leftOut } = declared(["a=b.raw", "two\nlines", "end ", "x/a.raw", "y/a.raw", "old.raw"], ["old.raw"]);
  expect(lines).toEqual(["x/a.raw"]);
  expect(leftOut).toEqual([
    "a=b.raw is not declared as an artifact: its path can't be written as a line of the list",
    "two\nlines is not declared as an artifact: its path can't be written as a line of the list",
    "end  is not declared as an artifact: its path can't be written as a line of the list",
    "y/a.raw is not declared as an artifact: this job has one of that name",
    "old.raw is not declared as an artifact: this job has one of that name",
  ]);
});

test("more than a job may have are none", () => {
  const paths = Array.from({ length: 500 }, (_, index) => `${index}.raw`);
  expect(declared(paths).lines).toHaveLength(500);
  const more = declared(paths, ["earlier.raw"]);
  expect(more.lines).toEqual([]);
  expect(more.leftOut).toEqual([expect.stringContaining("a runner takes 500 of a job")]);
  const long = paths.map((path) => `${"x".repeat(2200)}/${path}`);
  expect(declared(long).lines).toEqual([]);
});

test("the runner's files are read and appended to, and nothing fails without them", async () => {
  const [file, list] = [join(folder, "artifacts"), join(folder, "list")];
  writeFileSync(file, "first\n");
  writeFileSync(list, JSON.stringify({ version: 1, subjects: [{ name: "b.raw", digest: "sha256:00", kind: "file" }] }));
  const environment = { GITHUB_ARTIFACTS: file, GITHUB_ARTIFACTS_LIST: list, GITHUB_WORKSPACE: folder };
  const results = ["a.raw", "b.raw"].map((name) => result(join(folder, name)));
  expect(await declareArtifacts(results, environment)).toHaveLength(1);
  expect(readFileSync(file, "utf8")).toBe("first\na.raw\n");
  expect(await declareArtifacts(results, {})).toEqual([]);
  writeFileSync(list, "no JSON");
  expect(await declareArtifacts(results, environment)).toEqual([expect.stringContaining("Cannot declare artifacts: ")]);
  expect(await declareArtifacts(results, { GITHUB_ARTIFACTS: folder })).toEqual([expect.stringContaining("EISDIR")]);
});

test("in a job's container what the runner can't see is left out", () => {
  const paths = ["/__w/images/images/a.raw", "/__w/_temp/b.raw", "/mnt/c.raw"];
  const { lines, leftOut } = declarationsOf(
    paths.map((path) => result(path)),
    [],
    "/__w/images/images",
  );
  expect(lines).toEqual(["a.raw", "/__w/_temp/b.raw"]);
  expect(leftOut).toEqual([
    "/mnt/c.raw is not declared as an artifact: the runner does not see that place of its job's container",
  ]);
});
