/** The output `images` stays far below what all outputs of a job may take. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ImageResult } from "../../../src/action/image-result.ts";
import { setOutputs } from "../../../src/action/outputs.ts";
import type { CheckResult } from "../../../src/index.ts";
import { report } from "../cli/world.ts";

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
  corruptions: 0,
  leaks: 1000,
  checkErrors: 0,
  warnings: 0,
  imageEndOffset: 0,
  totalClusters: 0,
  allocatedClusters: 0,
  fragmentedClusters: 0,
  compressedClusters: 0,
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
  writeFileSync(join(folder, "output"), "");
  setOutputs({ results: Array.from({ length: count }, () => one) });
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
