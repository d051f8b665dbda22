/** The line that the log has of each image. */

import { expect, test } from "vitest";
import { resultLine } from "../../../../src/action/images/result-line.ts";
import { inputDefaults } from "../../../../src/action/inputs/input-names.ts";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";
import { checked, conversion, result } from "../../../support/step-results.ts";

function lineOf(changes: Parameters<typeof result>[1], given: Readonly<Record<string, string>> = {}): string {
  const all: Readonly<Record<string, string>> = { ...inputDefaults, image: "a", "target-format": "qcow2", ...given };
  return resultLine(result("disk.qed", changes), readInputs((name) => all[name] ?? "").inputs);
}

const [before, after] = ["5".repeat(64), "6".repeat(64)];
const sum = { algorithm: "sha256", covers: "guest", before, after: before } as const;
const report = conversion({ guestChecksum: sum, bytesWritten: 1_720_320, milliseconds: { checksum: 600, write: 212 } });

test.each([
  [
    { report, path: "disk.qcow2" },
    `qed is now qcow2, now disk.qcow2; guest sha256 ${before} before and after; 1720320 bytes written; 812 ms`,
  ],
  [
    { report: { ...report, guestChecksum: { ...sum, after: null }, milliseconds: {} } },
    `qed is now qcow2; guest sha256 ${before} before; 1720320 bytes written`,
  ],
  [
    { report: { ...report, guestChecksum: { ...sum, after }, milliseconds: {} } },
    `qed is now qcow2; guest sha256 ${before} before, ${after} after, as planned; 1720320 bytes written`,
  ],
  [
    { report: { ...report, guestChecksum: { ...sum, covers: "layer" as const }, milliseconds: {} } },
    `qed is now qcow2; guest of this layer sha256 ${before} before and after; 1720320 bytes written`,
  ],
  [{ report: { ...report, guestChecksum: null, milliseconds: {} } }, "qed is now qcow2; 1720320 bytes written"],
  [{ report: { ...report, changed: false } }, `nothing to do; guest sha256 ${before} before and after; 812 ms`],
])("%#", (changes, line) => {
  expect(lineOf(changes)).toBe(`disk.qed: ${line}`);
});

test("a dry run, a check, a failure, and what is not known yet", () => {
  const planned = { ...report, changed: false, guestChecksum: null, milliseconds: {} };
  expect(lineOf({ report: planned }, { "dry-run": "true" })).toBe(
    "disk.qed: qed would become qcow2; 1720320 bytes to write",
  );
  const check = { mode: "check", "target-format": "" };
  const took = { milliseconds: { check: 3 } };
  expect(lineOf({ check: checked(took) }, check)).toBe("disk.qed: clean; 3 ms");
  const leaky = checked({ ...took, verdict: "leaks", leaks: 7 });
  expect(lineOf({ check: leaky }, check)).toBe("disk.qed: leaks, 7 leaked clusters; 3 ms");
  const repaired = checked({ ...took, changed: true, bytesWritten: 4096 });
  expect(lineOf({ check: repaired }, check)).toBe("disk.qed: clean, repaired; 4096 bytes written; 3 ms");
  const failure = { kind: "io", message: "Cannot read it", reasons: [], advice: "", details: {} };
  expect(lineOf({ report, failure })).toBe("disk.qed: failed: Cannot read it");
  expect(lineOf({})).toBe("disk.qed: planned, its work is known only then");
});
