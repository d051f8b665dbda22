/** What a report says of the run that made it. */

import { expect, test } from "vitest";
import { provenanceOf } from "../../../../src/action/results/provenance.ts";

const now = new Date("2026-11-30T01:02:03.456Z");

test("repository, commit, run and attempt as the runner tells them", () => {
  const environment = {
    GITHUB_REPOSITORY: "org/images",
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
    GITHUB_RUN_ID: "16012345678",
    GITHUB_RUN_ATTEMPT: "2",
  };
  expect(provenanceOf(environment, now)).toEqual({
    tool: "inplace-convert",
    toolVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
    time: "2026-11-30T01:02:03.456Z",
    repository: "org/images",
    commit: "0123456789abcdef0123456789abcdef01234567",
    runId: "16012345678",
    runAttempt: "2",
  });
});

test("what it does not tell is absent", () => {
  expect(Object.keys(provenanceOf({ GITHUB_SHA: "" }, now))).toEqual(["tool", "toolVersion", "time"]);
});
