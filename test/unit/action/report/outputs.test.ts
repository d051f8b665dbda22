/** The output `images` stays far below what all outputs of a job may take. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { setOutputs } from "../../../../src/action/report/outputs.ts";
import type { ImageResult } from "../../../../src/action/results/image-result.ts";
import { NOTHING_FOUND } from "../../../../src/image/finding.ts";
import type { CheckResult } from "../../../../src/index.ts";
import { checked } from "../../../support/step-results.ts";
import { report } from "../../cli/world.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-outputs-"));
  vi.stubEnv("GITHUB_OUTPUT", join(folder, "output"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const finding = {
  severity: "leak",
  kind: "refcount-mismatch",
  structure: "refcount block",
  message: "x".repeat(100),
} as const;
const leaky: CheckResult = {
  ...NOTHING_FOUND,
  leaks: 1000,
  findings: Array.from({ length: 1000 }, () => finding),
};

function outputsOf(count: number): Readonly<Record<string, string>> {
  const one: ImageResult = {
    image: "disk.qed",
    path: "disk.qcow2",
    report: { ...report, check: { before: leaky, after: null } },
    failure: undefined,
    recovery: undefined,
  };
  return told(Array.from({ length: count }, () => one));
}

function told(results: readonly ImageResult[]): Readonly<Record<string, string>> {
  writeFileSync(join(folder, "output"), "");
  setOutputs({ results });
  const text = readFileSync(join(folder, "output"), "utf8");
  return Object.fromEntries([...text.matchAll(/^(.+?)<<(.+)\n(.*)\n\2$/gm)].map(([, name, , value]) => [name, value]));
}

test.each([
  [1, 1000],
  [10, 0],
  [1000, undefined],
])("%d images: %s findings of each", (count, findings) => {
  const { images = "", leaks, "check-result": result } = outputsOf(count);
  expect(images.length).toBeLessThan(600 * 1024);
  const parsed = JSON.parse(images);
  expect(parsed).toHaveLength(count);
  expect(parsed[0]).toMatchObject({ image: "disk.qcow2", changed: true });
  expect(parsed[0].check?.before.findings.length).toBe(findings);
  if (findings !== undefined) expect(parsed[0].check.before.leaks).toBe(1000);
  expect([leaks, result]).toEqual([String(1000 * count), "leaks"]);
});

const nothing = { image: "a", path: "a", report: undefined, failure: undefined, recovery: undefined } as const;
const corrupt = { kind: "corrupt", message: "Cannot", reasons: [], advice: "", details: {} } as const;

test("what a plan would write is not written; the peak is that of one image, planned or not", () => {
  const planned = {
    ...nothing,
    report: { ...report, changed: false, bytesWritten: 700, bytesMoved: 5, peakExtraBytes: 900 },
  };
  expect(told([planned])).toMatchObject({ "bytes-written": "0", "bytes-moved": "0", "peak-extra-bytes": "900" });
  const done = { ...nothing, report: { ...report, bytesWritten: 300, bytesMoved: 7, peakExtraBytes: 400 } };
  const both = told([planned, done, done]);
  expect(both).toMatchObject({ "bytes-written": "600", "bytes-moved": "14", "peak-extra-bytes": "900" });
});

test("a download that failed has no path, neither as an output nor in images", () => {
  const url = "https://a.example/disk.qed";
  const { images = "", ...others } = told([{ ...nothing, image: url, path: undefined, failure: corrupt }]);
  expect(others).not.toHaveProperty("image");
  expect(others).toMatchObject({ corruptions: "0" });
  expect(others).not.toHaveProperty("check-result");
  expect(JSON.parse(images)).toMatchObject([{ image: url }]);
  expect(images).not.toContain("renamed-from");
});

test("of all images the worst verdict is told, in whatever order they come", () => {
  const [clean, leaks] = [checked(), checked({ verdict: "leaks", leaks: 2 })];
  const bad = checked({ verdict: "corrupt", corruptions: 1 });
  for (const [checks, worst] of [
    [[clean, leaks], "leaks"],
    [[leaks, bad, clean], "corrupt"],
    [[clean, clean], "clean"],
  ] as const) {
    expect(told(checks.map((check) => ({ ...nothing, check })))["check-result"]).toBe(worst);
  }
});

test("an image that is too broken to be counted has one corruption", () => {
  expect(told([{ ...nothing, failure: corrupt }])).toMatchObject({ corruptions: "1", "check-result": "corrupt" });
});
