/** No trace without RUNNER_DEBUG, in annotations and in reports. */

import { afterEach, expect, test, vi } from "vitest";
import { defectText } from "../../../src/action/defect-text.ts";
import { failureOf } from "../../../src/action/image-result.ts";

afterEach(() => vi.unstubAllEnvs());

test("a sentence as a rule, the trace in a debug run", () => {
  const defect = new TypeError("x is not a function");
  vi.stubEnv("RUNNER_DEBUG", "");
  expect(defectText(defect)).toBe("x is not a function; run it again with debug logging for where");
  expect(JSON.stringify(failureOf(defect, undefined))).not.toContain("    at ");
  vi.stubEnv("RUNNER_DEBUG", "1");
  expect(defectText(defect)).toMatch(/x is not a function\n {4}at /);
  expect(failureOf(defect, undefined).details.trace).toMatch(/\n {4}at /);
});
