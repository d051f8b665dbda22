/** Leaks that a conversion gives up, and who must consent. */

import { expect, test, vi } from "vitest";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";
import { warnOfLeaks } from "../../../../src/action/report/leak-warnings.ts";
import { imageSection } from "../../../../src/action/report/summary-section.ts";
import { leaksFailure, leaksGivenUpOf } from "../../../../src/action/results/leaks-given-up.ts";
import { resultJson, resultOfJson } from "../../../../src/action/results/result-json.ts";
import { conversion } from "../../../support/step-results.ts";

const leaks = { clusters: 300, bytes: 300 * 65536, isSuspicious: true };
const leaky = { ...conversion(), leaksGivenUp: leaks };

function inputsWith(failOn: string, drop: readonly string[]) {
  const given: Readonly<Record<string, string>> = { image: "a.qed", "target-format": "qcow2", "fail-on": failOn };
  const { inputs } = readInputs((name) => given[name] ?? "");
  return { ...inputs, convertOptions: { ...inputs.convertOptions, drop } };
}

test.each([
  ["corruption", [], false],
  ["leak", [], true],
  ["warning", [], true],
  ["warning", ["bitmaps"], true],
  ["leak", ["leaks"], false],
  ["warning", ["bitmaps", "leaks"], false],
] as const)("fail-on %s, drop %j: fails %s", (failOn, drop, isFailed) => {
  const failure = leaksFailure("a.qed", leaky, inputsWith(failOn, drop), "The image is as it was");
  expect(failure !== undefined).toBe(isFailed);
  if (failure === undefined) return;
  expect(failure.kind).toBe("leaks");
  expect(failure.message).toContain("gives up 300 leaked clusters, 18.8 MiB");
  expect(failure.message).toContain("the only trace of lost data");
  expect(failure.message).toContain("drop: leaks");
});

test.each([{}, { leaksGivenUp: { clusters: 0, bytes: 0, isSuspicious: false } }])("%j: nothing is given up", (none) => {
  const report = { ...conversion(), ...none };
  expect(leaksGivenUpOf(report)).toBeUndefined();
  expect(leaksFailure("a.qed", report, inputsWith("warning", []), "")).toBeUndefined();
});

test("they are told in the summary, and come through a report", () => {
  const result = { image: "a", path: "a", report: leaky, failure: undefined, recovery: undefined };
  expect(String(imageSection(result, { dryRun: false, imageCount: 1 }))).toContain("300 leaked clusters, 18.8 MiB");
  const json = resultJson(result);
  expect(json["leaks-given-up"]).toEqual({ clusters: 300, bytes: 300 * 65536, "is-suspicious": true });
  expect(resultJson(resultOfJson(JSON.parse(JSON.stringify(json))))).toEqual(json);
});

test("where nothing fails on them, those that look like lost data are warned of", () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const result = { image: "a", path: "a", report: leaky, failure: undefined, recovery: undefined };
  const few = { ...result, image: "b", report: { ...leaky, leaksGivenUp: { ...leaks, isSuspicious: false } } };
  warnOfLeaks([result, few], false);
  vi.restoreAllMocks();
  const warnings = written.filter((line) => line.startsWith("::warning"));
  expect(warnings).toEqual([expect.stringContaining("a gave up 300 leaked clusters, 18.8 MiB")]);
});
