/**
 * Runs a job of a workflow on this machine: our action by the built main and post, scripts by bash, and of other
 * actions what is left of them without GitHub (artifacts in folders, attestations in a list).
 */

import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type Inputs, Runner } from "../action/runner.ts";
import { isOurAction, type Job, neededJobs, type Step, type Workflow } from "../support/workflow.ts";
import { asText, type Contexts, filled, isWanted, type Value } from "./expression.ts";

export interface JobResult {
  readonly result: "success" | "failure" | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
  /** All that its steps printed, for whoever reads a failed test. */
  readonly log: string;
  readonly summary: string;
  readonly runner: Runner;
}

export interface Attested {
  readonly name: string;
  readonly digest: string;
  /** Absent of the provenance that is attested where nothing else is given. */
  readonly predicateType?: string;
}

/** What is beside the jobs of one run: artifacts, attestations, programs that stand for others. */
export class World {
  readonly folder: string;
  readonly attested: Attested[] = [];
  /** Texts of a workflow that are something else here, such as a server's address. */
  readonly instead: (readonly [string, string])[] = [];
  /** What a runner tells every script, such as `GITHUB_SHA`. */
  readonly variables: Record<string, string> = {};
  readonly #programs: string;

  /** Gone after the test. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "inplace-convert-examples-"));
    this.#programs = join(this.folder, "programs");
    mkdirSync(this.#programs);
    mkdirSync(join(this.folder, "artifacts"));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** A bash script that runs in place of a program, with the world's folder as `$WORLD`. */
  program(name: string, script: string): void {
    const path = join(this.#programs, name);
    writeFileSync(path, `#!/usr/bin/env bash\nset -eu\nWORLD='${this.folder}'\n${script}\n`);
    chmodSync(path, 0o755);
  }

  get searchPath(): string {
    return [this.#programs, dirname(process.execPath), process.env.PATH].join(delimiter);
  }

  artifact(name: string): string {
    return join(this.folder, "artifacts", name);
  }

  replaced(text: string): string {
    return this.instead.reduce((result, [from, to]) => result.replaceAll(from, to), text);
  }
}

/** @param contexts `inputs`, `needs`, `matrix`, `secrets`, `github` as the job finds them */
export async function runJob(
  world: World,
  job: Job,
  contexts: Contexts,
  before?: (runner: Runner) => void,
): Promise<JobResult> {
  const runner = new Runner();
  before?.(runner);
  const steps: Record<string, { outputs: Readonly<Record<string, string>> }> = {};
  const all = (): Contexts => ({ ...contexts, steps });
  let [log, summary, isFailing] = ["", "", false];
  for (const step of job.steps ?? []) {
    if (!isWanted(step.if, all(), isFailing)) continue;
    const done = await runStep(world, runner, step, all());
    log += done.log;
    summary += done.summary;
    isFailing ||= !done.isGood;
    if (step.id !== undefined) steps[step.id] = { outputs: done.outputs };
  }
  const ended = await runner.post();
  log += ended.log;
  isFailing ||= ended.exitCode !== 0;
  const outputs = Object.entries(job.outputs ?? {}).map(([name, text]) => [name, asText(filled(text, all()))]);
  return { result: isFailing ? "failure" : "success", outputs: Object.fromEntries(outputs), log, summary, runner };
}

/** A job as its `needs`, `if` and matrix have it: once, once a shard, or not at all. */
export async function runNeeded(
  world: World,
  { jobs }: Workflow,
  name: string,
  contexts: Contexts,
  before: Readonly<Record<string, readonly JobResult[]>>,
): Promise<readonly JobResult[]> {
  const job = jobs[name];
  if (job === undefined) throw new Error(`There is no job ${name}`);
  const needed = neededJobs(job).map((each) => [each, before[each] ?? []] as const);
  const needs = Object.fromEntries(needed.map(([each, results]) => [each, { outputs: results.at(-1)?.outputs ?? {} }]));
  const isFailing = needed.some(([, results]) => results.some(({ result }) => result === "failure"));
  if (!isWanted(job.if, { ...contexts, needs }, isFailing)) return [];
  const matrix = job.strategy?.matrix;
  const found = typeof matrix === "string" ? filled(matrix, { ...contexts, needs }) : null;
  const shards = (found as { readonly include?: readonly Value[] } | null)?.include ?? [null];
  const results: JobResult[] = [];
  for (const shard of shards) results.push(await runJob(world, job, { ...contexts, needs, matrix: shard }));
  return results;
}

interface StepEnd {
  readonly isGood: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
  readonly summary: string;
}

async function runStep(world: World, runner: Runner, step: Step, contexts: Contexts): Promise<StepEnd> {
  const texts = (values: Step["with"] = {}) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, world.replaced(asText(filled(String(value), contexts)))]),
    );
  if (step.run !== undefined) return runScript(world, runner, step.run, texts(step.env));
  const inputs = texts(step.with);
  if (!isOurAction(step.uses)) return runForeign(world, runner, step.uses ?? "", inputs);
  const { exitCode, outputs, log, summary } = await runner.main(inputs as Inputs);
  return { isGood: exitCode === 0, outputs, log, summary };
}

/** As a runner runs a script without a `shell`; not in this thread, whose servers it may ask. */
async function runScript(
  world: World,
  runner: Runner,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<StepEnd> {
  const [file, output] = [join(world.folder, "script.sh"), join(world.folder, "script-output.txt")];
  writeFileSync(file, script);
  writeFileSync(output, "");
  const child = spawn("bash", ["-e", file], {
    cwd: runner.workspace,
    env: {
      ...world.variables,
      ...env,
      PATH: world.searchPath,
      HOME: world.folder,
      RUNNER_TEMP: world.folder,
      GITHUB_OUTPUT: output,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      log += text;
    });
  }
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { isGood: status === 0, outputs: scriptOutputs(readFileSync(output, "utf8")), log, summary: "" };
}

/** `name=value`, or `name<<end`, lines, `end`. */
function scriptOutputs(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const match of text.matchAll(/^([\w-]+)(?:=(.*)|<<(.+)\n([\s\S]*?)\n?^\3)$/gm)) {
    const [, name = "", line, , lines] = match;
    values[name] = line ?? lines ?? "";
  }
  return values;
}

function runForeign(world: World, runner: Runner, uses: string, inputs: Readonly<Record<string, string>>): StepEnd {
  const { name = "", path = "" } = inputs;
  const good = { isGood: true, outputs: {}, log: "", summary: "" };
  switch (uses.slice(0, uses.indexOf("@"))) {
    case "actions/checkout":
    case "actions/setup-node":
      return good;
    case "actions/attest":
      attest(world, runner, inputs);
      return good;
    case "actions/upload-artifact": {
      const from = runner.path(path);
      if (!existsSync(from)) return { ...good, isGood: inputs["if-no-files-found"] !== "error", log: `No ${path}\n` };
      mkdirSync(world.artifact(name), { recursive: true });
      if (basename(path).includes(".")) copyFileSync(from, join(world.artifact(name), basename(path)));
      else cpSync(from, world.artifact(name), { recursive: true });
      return good;
    }
    case "actions/download-artifact": {
      const pattern = inputs.pattern?.replace("*", "") ?? "";
      mkdirSync(runner.path(path), { recursive: true });
      for (const each of artifactsOf(world).filter((other) => other.startsWith(pattern))) {
        cpSync(world.artifact(each), runner.path(path), { recursive: true });
      }
      return good;
    }
    default:
      throw new Error(`Nobody knows here what ${uses} does`);
  }
}

/** Keeps a custom predicate as `attestations/TYPE/DIGEST.json`, in what `gh attestation verify --format json` would print. */
function attest(world: World, runner: Runner, inputs: Readonly<Record<string, string>>): void {
  const { "subject-checksums": list, "predicate-type": predicateType, "predicate-path": path } = inputs;
  const subjects =
    list === undefined
      ? [{ name: inputs["subject-name"] ?? inputs["subject-path"] ?? "", digest: inputs["subject-digest"] ?? "" }]
      : checksumLines(readFileSync(runner.path(list), "utf8"));
  for (const subject of subjects) world.attested.push({ ...subject, ...(predicateType && { predicateType }) });
  if (predicateType === undefined || path === undefined) return;
  const subject = subjects.map(({ name, digest }) => ({ name, digest: { sha256: digest.replace("sha256:", "") } }));
  const predicate: unknown = JSON.parse(readFileSync(runner.path(path), "utf8"));
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate };
  const folder = join(world.folder, "attestations", encodeURIComponent(predicateType));
  mkdirSync(folder, { recursive: true });
  for (const { digest } of subject) {
    writeFileSync(join(folder, `${digest.sha256}.json`), JSON.stringify([{ verificationResult: { statement } }]));
  }
}

/** As actions/attest reads `subject-checksums`. */
function checksumLines(text: string): Attested[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => ({ name: line.slice(66), digest: `sha256:${line.slice(0, 64)}` }));
}

function artifactsOf(world: World): string[] {
  return readdirSync(join(world.folder, "artifacts")).sort();
}
