/**
 * `npm test [-- SUITE ...]`: every suite, one after another, each with its seconds.
 *
 * The last line is `N passed, N failed`; the exit code is 1 when anything failed.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Suite, suites } from "./suites.ts";
import { ensureTools, qemuVersion } from "./tools.ts";

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, by name; told once more at the end, where a log that was cut still has it. */
  readonly failures: readonly string[];
}

/** As vitest's JSON has it. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const NOTHING: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [] };

const root = fileURLToPath(new URL("../", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "inplace-convert-test-"));

function runTool(tool: string, options: readonly string[]): Outcome {
  const { status } = spawnSync(process.execPath, [join(root, tool), ...options], { cwd: root, stdio: "inherit" });
  return status === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1, failures: [tool] };
}

function runTests(folder: string): Outcome {
  const results = join(scratch, `${folder.replaceAll("/", "-")}.json`);
  const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", `${folder}/`];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
  const { status } = spawnSync(process.execPath, [...vitest, ...reporters], { cwd: root, stdio: "inherit" });
  try {
    const report = JSON.parse(readFileSync(results, "utf8")) as TestReport;
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
    // A file that does not load, an error outside a test, or no test at all fails the suite without failing a test.
    const isSilent = failed === 0 && (status !== 0 || passed === 0);
    const failures = failuresOf(report);
    if (!isSilent) return { passed, failed: Math.max(failed, failures.length), skipped, failures };
    return {
      passed,
      failed: 1,
      skipped,
      failures: failures.length > 0 ? failures : [`${folder}, outside of any test`],
    };
  } catch {
    return { ...NOTHING, failed: 1, failures: [`${folder}, without a report`] };
  }
}

/** Each test that failed, and each file that did not load, with the first line of why. */
function failuresOf({ testResults }: TestReport): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults
      .filter((each) => each.status === "failed")
      .map(({ fullName, failureMessages = [] }) => `${file}: ${fullName}: ${firstLine(failureMessages[0])}`);
    return failed.length > 0 || status !== "failed" ? failed : [`${file}: ${firstLine(message)}`];
  });
}

function firstLine(text = ""): string {
  return text.split("\n", 1)[0] ?? "";
}

function runSuite({ name, run, budget }: Suite): Outcome {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const outcome = "tool" in run ? runTool(run.tool, run.options) : runTests(run.tests);
  const seconds = (performance.now() - start) / 1000;
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : "";
  console.log(`== ${name}: ${outcome.passed} passed, ${outcome.failed} failed${skipped} in ${seconds.toFixed(1)} s`);
  if (seconds > budget) console.log(`== ${name}: over its budget of ${budget} s`);
  return outcome;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`No such suite: ${unknown.join(", ")}. There are: ${suites.map((suite) => suite.name).join(", ")}`);
  process.exit(2);
}

const outcomes: Outcome[] = [];
try {
  ensureTools();
  console.log(`Asked for a second opinion: ${qemuVersion()}`);
  for (const suite of suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    outcomes.push(runSuite(suite));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  outcomes.push({ ...NOTHING, failed: 1, failures: [String(error)] });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
process.exitCode = failed === 0 ? 0 : 1;
const failures = outcomes.flatMap((outcome) => outcome.failures);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
console.log(`\n${passed} passed, ${failed} failed`);
