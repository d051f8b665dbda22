/** The JSON report: what it says of itself, before what it says of images. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeReport } from "../../../../src/action/report/report-file.ts";
import { provenanceOf } from "../../../../src/action/results/provenance.ts";
import { result, step } from "../../../support/step-results.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-report-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the whole report of a step without an image", async () => {
  const json = join(folder, "new", "report.json");
  await writeReport({ named: json, json, page: undefined }, step([], { shard: { number: 3, total: 12 } }));
  expect(readdirSync(join(folder, "new"))).toEqual(["report.json"]);
  expect(JSON.parse(readFileSync(json, "utf8"))).toEqual({
    "schema-version": 1,
    provenance: {
      tool: "inplace-convert",
      "tool-version": "1.2.3",
      time: "2026-11-30T01:02:03.000Z",
      repository: "org/images",
      commit: "0123456789abcdef0123456789abcdef01234567",
      "run-id": "16012345678",
      "run-attempt": "2",
    },
    mode: "convert",
    "dry-run": false,
    "target-format": "qcow2",
    shard: "3/12",
    images: [],
  });
});

test("all names are in kebab-case", async () => {
  const json = join(folder, "report.json");
  const files = [{ path: "a", sha256: "0".repeat(64) }];
  await writeReport({ named: json, json, page: undefined }, step([result("a", { files })]));
  const names = [...readFileSync(json, "utf8").matchAll(/"([^"]+)":/g)].map(([, name]) => name);
  expect(names).toContain("sha256-file");
  expect(names.filter((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name ?? ""))).toEqual([]);
});

test("what a runner tells, and only that", () => {
  const now = new Date(Date.UTC(2026, 10, 30, 1, 2, 3, 4));
  const { toolVersion, ...others } = provenanceOf({ GITHUB_SHA: "", GITHUB_RUN_ID: "7", PATH: "/bin" }, now);
  expect(toolVersion).toMatch(/^\d+\.\d+\.\d+/);
  expect(others).toEqual({ tool: "inplace-convert", time: "2026-11-30T01:02:03.004Z", runId: "7" });
});
