/** One error an image, within what a runner shows. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { annotateFailures } from "../../../../src/action/report/annotations.ts";
import type { ImageResult } from "../../../../src/action/results/image-result.ts";
import { checked, checkStep, finding, nightlyStep, result } from "../../../support/step-results.ts";

let printed = "";
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

interface Annotation {
  readonly title: string;
  readonly file: string | undefined;
  readonly message: string;
}

function annotationsOf(results: readonly ImageResult[]): Annotation[] {
  annotateFailures(results);
  const plain = (text = "") =>
    text.replaceAll("%0A", "\n").replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%25", "%");
  return printed
    .trim()
    .split("\n")
    .map((line) => /^::error (.*?)::(.*)$/.exec(line))
    .map((found) => {
      const values = Object.fromEntries((found?.[1] ?? "").split(",").map((pair) => pair.split("=")));
      return { title: plain(values.title), file: values.file && plain(values.file), message: plain(found?.[2]) };
    });
}

test("a check that failed: counts in the title, nine of the worst, how many more, what to do", () => {
  const [annotation, ...others] = annotationsOf(checkStep().results);
  expect(others).toEqual([]);
  expect(annotation?.title).toBe("images/router.qcow2: 37 corruptions, 4 leaked clusters");
  expect(annotation?.file).toBe("images/router.qcow2");
  const lines = annotation?.message.split("\n") ?? [];
  expect(lines[1]).toBe("- corruption: cluster 5 has refcount 0 and 1 references");
  expect(lines.filter((line) => line.startsWith("- "))).toHaveLength(9);
  expect(lines.slice(-2)).toEqual(["32 more, see the summary", "Set repair to all, or take a fresh copy of it"]);
});

test("a refusal names what its message does not, and keeps what to do", () => {
  const [annotation] = annotationsOf(nightlyStep().results);
  expect(annotation?.title).toBe("images/release-2024.qcow2 failed: unsupported");
  expect(annotation?.message.split("\n").slice(1)).toEqual([
    "- its bitmap nightly can't be kept",
    "The image is as it was",
  ]);
});

test("long messages and many long findings leave room for what to do", () => {
  const findings = Array.from({ length: 1000 }, (_, index) =>
    finding(index, { message: `${index}${"x".repeat(9000)}` }),
  );
  const check = checked({ verdict: "corrupt", corruptions: 1000, findings });
  const failure = { kind: "corrupt", message: "m".repeat(9000), reasons: [], advice: "Repair it", details: {} };
  const [annotation] = annotationsOf([result("a.qcow2", { check, failure })]);
  expect(annotation?.message.length).toBeLessThan(4096);
  expect(annotation?.message).toMatch(/\n991 more, see the summary\nRepair it$/);
});

test("twelve images that failed are nine annotations and how many more", () => {
  const failure = { kind: "io", message: "Cannot read it", reasons: [], advice: "", details: {} };
  const annotations = annotationsOf(Array.from({ length: 12 }, (_, index) => result(`${index}.qed`, { failure })));
  expect(annotations).toHaveLength(10);
  expect(annotations.at(-1)).toMatchObject({ title: "More images failed", message: "3 more, see the summary" });
});

test("a name or finding can neither end the line nor begin a command", () => {
  const name = "a\n::set-output name=x::y\r##[error]\u202e.qed";
  const check = checked({ verdict: "corrupt", corruptions: 1, findings: [finding(0, { message: name })] });
  const failure = { kind: "corrupt", message: name, reasons: [], advice: name, details: {} };
  annotateFailures([result(name, { check, failure })]);
  const lines = printed.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]?.slice(2)).not.toContain("::set-output");
  for (const part of ["##[", "\r", "\u202e"]) expect(printed).not.toContain(part);
});
