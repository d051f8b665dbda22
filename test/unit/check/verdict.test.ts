/** The exit codes of qemu-img's check, and the one word for each. */

import { expect, test } from "vitest";
import { checkExitCode, verdictOf } from "../../../src/check/verdict.ts";
import type { CheckResult } from "../../../src/image/finding.ts";

test.each([
  [0, 0, 0, 0, "clean"],
  [0, 0, 1, 3, "leaks"],
  [0, 1, 0, 2, "corrupt"],
  [0, 1, 1, 2, "corrupt"],
  [1, 0, 0, 1, "corrupt"],
  [1, 1, 1, 1, "corrupt"],
])("%i check errors, %i corruptions, %i leaks: exit %i, %s", (checkErrors, corruptions, leaks, exitCode, verdict) => {
  const result = { checkErrors, corruptions, leaks } as CheckResult;
  expect([checkExitCode(result), verdictOf(result)]).toEqual([exitCode, verdict]);
});
