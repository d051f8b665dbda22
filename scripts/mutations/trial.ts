/** A copy of the tree in which one mutation after another is tried, and vitest run on it. */

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import type { Mutation } from "./mutation.ts";

/** What tests and vitest need; everything else of the tree is of no matter to them. */
const COPIED = ["src", "test", "scripts", "package.json", "tsconfig.json", "vitest.config.ts", "action.yml"];
const LINKED = ["node_modules", "dist", "docs"];
/** A mutant may wait for ever; a test that does is as good as one that fails. */
const FILE_TIMEOUT_MS = 300_000;
const TEST_TIMEOUT_MS = 60_000;

export interface Outcome {
  /** `broken`: the mutation could not be applied, or it kills by being no program. */
  readonly end: "killed" | "survived" | "broken";
  /** The test that failed with its file, or what is broken. */
  readonly by: string;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The children that run, so that whoever is interrupted can end them. */
const running = new Set<ChildProcess>();

export function endRuns(): void {
  for (const child of running) endGroup(child);
}

/** A mutation's text in the place of its anchor. Throws where that does not stand there exactly once. */
export function mutated(text: string, { name, file, find, replace }: Mutation): string {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${name}: "${find}" stands ${count} times in src/${file}, not once`);
  const result = text.replace(find, () => replace);
  if (result === text) throw new Error(`${name}: changes nothing`);
  transformSync(result, { loader: "ts" });
  return result;
}

export class Tree {
  readonly #root: string;
  readonly #results: string;

  constructor(from: string, root: string) {
    this.#root = root;
    this.#results = join(root, "results.json");
    mkdirSync(root, { recursive: true });
    for (const name of COPIED) cpSync(join(from, name), join(root, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(from, name), join(root, name));
  }

  /** Runs the tests of a mutation on it; the tree is as before afterwards. */
  async try(mutation: Mutation): Promise<Outcome> {
    const path = join(this.#root, "src", mutation.file);
    const text = readFileSync(path, "utf8");
    try {
      writeFileSync(path, mutated(text, mutation));
    } catch (error) {
      return { end: "broken", by: (error as Error).message };
    }
    try {
      for (const test of mutation.tests) {
        const failure = await this.failureOf(test);
        if (failure !== undefined) return failure;
      }
      return { end: "survived", by: "" };
    } finally {
      writeFileSync(path, text);
    }
  }

  /** The first failing test of `FILE` or `FILE > NAME`; undefined where all pass. */
  async failureOf(test: string): Promise<Outcome | undefined> {
    const [file = "", name] = test.split(" > ");
    rmSync(this.#results, { force: true });
    const options = ["run", file, "--bail=1", "--maxWorkers=1", `--testTimeout=${TEST_TIMEOUT_MS}`];
    if (name !== undefined) options.push("-t", literally(name));
    const exitCode = await this.#run([...options, "--reporter=json", `--outputFile=${this.#results}`]);
    if (exitCode === undefined) return { end: "killed", by: `${file}: no end within ${FILE_TIMEOUT_MS / 1000} s` };
    return this.#verdict(file, exitCode);
  }

  #verdict(file: string, exitCode: number): Outcome | undefined {
    let report: VitestReport;
    try {
      report = JSON.parse(readFileSync(this.#results, "utf8")) as VitestReport;
    } catch {
      return { end: "broken", by: `${file}: vitest wrote no result` };
    }
    const tests = report.testResults.flatMap((result) => result.assertionResults);
    const failed = tests.find(({ status }) => status === "failed");
    if (failed === undefined) {
      const [silent] = report.testResults.filter(({ message }) => message !== "");
      if (silent !== undefined) return { end: "broken", by: `${file}: ${silent.message.split("\n")[0]}` };
      if (exitCode !== 0) return { end: "killed", by: `${file}: ended by itself before all tests had` };
      return report.numPassedTests > 0 ? undefined : { end: "broken", by: `${file}: no test ran` };
    }
    const [message = ""] = failed.failureMessages;
    // Such a mutant is no defect that somebody could make and not see.
    if (/^(ReferenceError|SyntaxError)/.test(message)) return { end: "broken", by: message.split("\n")[0] as string };
    return { end: "killed", by: `${file.replace(/^test\//, "")} > ${failed.fullName}` };
  }

  /** The exit code; undefined where it took too long. */
  #run(options: readonly string[]): Promise<number | undefined> {
    const vitest = join(this.#root, "node_modules/vitest/vitest.mjs");
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [vitest, ...options], { cwd: this.#root, stdio: "ignore", detached: true });
      running.add(child);
      let isInTime = true;
      const timer = setTimeout(() => {
        isInTime = false;
        endGroup(child);
      }, FILE_TIMEOUT_MS);
      const end = () => {
        clearTimeout(timer);
        running.delete(child);
      };
      child.once("error", (error) => {
        end();
        reject(error);
      });
      child.once("exit", (exitCode) => {
        end();
        resolve(isInTime ? (exitCode ?? 1) : undefined);
      });
    });
  }
}

/** Vitest has workers of its own. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It came to its end meanwhile.
  }
}

/** As a pattern that says just this; an ellipsis stands for anything between the names of a group and of a test. */
function literally(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*");
}
