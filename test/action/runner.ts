/** Runs the action as a runner does: INPUT_* and the files for outputs, state and summary, then `post` with STATE_*. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { inputDefaults } from "../../src/action/inputs/input-names.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** The committed build; `DIST` names another one. */
const dist = process.env.DIST ?? join(root, "dist");

export type Inputs = Readonly<Partial<Record<keyof typeof inputDefaults, string>>>;

export interface Annotation {
  readonly kind: string;
  readonly title: string | undefined;
  readonly file: string | undefined;
  readonly message: string;
}

export interface Ended {
  readonly exitCode: number | null;
  /** All of stdout and stderr. */
  readonly log: string;
  readonly annotations: readonly Annotation[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** What strace does at one system call: a signal at the `when`-th of it, or a list of all in the file `trace`. */
export type Injection = { readonly call: string } & (
  | { readonly signal: "KILL" | "INT" | "TERM"; readonly when: number }
  | { readonly trace: string }
);

export class Runner {
  readonly workspace: string;
  readonly #folder: string;
  readonly #node: string;
  #state: Readonly<Record<string, string>> = {};
  #child: ChildProcess | undefined;

  /** Gone after the test. */
  constructor(node = process.execPath) {
    this.#node = node;
    this.#folder = mkdtempSync(join(tmpdir(), "inplace-convert-action-"));
    this.workspace = join(this.#folder, "workspace");
    mkdirSync(this.workspace);
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.workspace, name);
  }

  /** Names in the workspace, sorted. */
  get names(): readonly string[] {
    return readdirSync(this.workspace).sort();
  }

  sha256(name: string): string {
    return createHash("sha256")
      .update(readFileSync(this.path(name)))
      .digest("hex");
  }

  /** Makes an image by qemu-img, 8 MiB of disk unless said otherwise; returns its guest's digest as raw. */
  makeImage(name: string, format: string, seed = 7, size = "8M"): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    tool("qemu-img", "create", "-q", "-f", format, path, size);
    const writes = ["-c", `write -P ${seed} 1M 192k`, "-c", `write -P ${seed + 1} 6M 64k`, "-c", "write -P 5 5M 64k"];
    tool("qemu-io", "-t", "unsafe", "-f", format, ...writes, path);
    return this.guestDigest(name);
  }

  /** SHA-256 of the raw disk as qemu-img sees it. */
  guestDigest(name: string): string {
    const raw = join(this.#folder, "guest.raw");
    tool("qemu-img", "convert", "-t", "unsafe", "-O", "raw", this.path(name), raw);
    return createHash("sha256").update(readFileSync(raw)).digest("hex");
  }

  /** Throws unless qemu-img finds neither corruption nor leak; gives the format. */
  cleanFormat(name: string): string {
    tool("qemu-img", "check", this.path(name));
    return JSON.parse(tool("qemu-img", "info", "--output=json", this.path(name))).format;
  }

  main(inputs: Inputs, injection?: Injection, environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const given = { ...inputDefaults, ...inputs };
    const env = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    return this.#run("main.mjs", { ...Object.fromEntries(env), ...environment }, injection);
  }

  /** As another job: what the last one saved as its state is gone. */
  forget(): void {
    this.#state = {};
  }

  /** To the process that runs now. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** RUNNER_TEMP. */
  get temp(): string {
    return this.#folder;
  }

  /** Runs `main` to its end and counts one of its system calls. */
  async callsOfMain(inputs: Inputs, call: string): Promise<number> {
    const trace = join(this.#folder, "trace.txt");
    await this.main(inputs, { call, trace });
    return strikable(readFileSync(trace, "utf8"), call).length;
  }

  /** Runs `main` to its end and tells what each of its writes, in their order, went to. */
  async writesOfMain(inputs: Inputs): Promise<("lock" | "journal" | "image")[]> {
    const trace = join(this.#folder, "trace.txt");
    const { exitCode, log } = await this.main(inputs, { call: "pwrite64", trace });
    if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${log}`);
    return strikable(readFileSync(trace, "utf8"), "pwrite64")
      .map((line) => /pwrite64\(\d+<([^>]*)>/.exec(line)?.[1] ?? "")
      .map((path) => (path.endsWith("-lock") ? "lock" : path.endsWith("-journal") ? "journal" : "image"));
  }

  post(environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const env = Object.entries(this.#state).map(([name, value]) => [`STATE_${name}`, value]);
    return this.#run("post.mjs", { ...Object.fromEntries(env), ...environment });
  }

  async #run(entry: string, env: NodeJS.ProcessEnv, injection?: Injection): Promise<Ended> {
    const files = { output: "", state: "", summary: "", env: "" };
    const paths = Object.keys(files).map((name) => [name, join(this.#folder, `${name}.txt`)] as const);
    for (const [, path] of paths) writeFileSync(path, "");
    const fileOf = Object.fromEntries(paths) as Record<keyof typeof files, string>;
    const node = [this.#node, join(dist, entry)];
    const words = injection === undefined ? node : [...straceWords(injection), ...node];
    const started = (child: ChildProcess) => {
      this.#child = child;
    };
    const { exitCode, log } = await ended(words, this.workspace, started, {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // With one thread strace counts over all of the process.
      ...(injection && { UV_THREADPOOL_SIZE: "1" }),
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_OUTPUT: fileOf.output,
      GITHUB_STATE: fileOf.state,
      GITHUB_STEP_SUMMARY: fileOf.summary,
      GITHUB_ENV: fileOf.env,
      RUNNER_TEMP: this.#folder,
      ...env,
    });
    this.#state = { ...this.#state, ...fileCommands(readFileSync(fileOf.state, "utf8")) };
    return {
      exitCode,
      log,
      annotations: annotationsIn(log),
      outputs: fileCommands(readFileSync(fileOf.output, "utf8")),
      summary: readFileSync(fileOf.summary, "utf8"),
    };
  }
}

/** Runs a program of others and gives what it printed; throws with all its words where it fails. */
export function tool(program: string, ...words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: exit ${status}: ${stdout}${stderr}`);
  return stdout;
}

/**
 * The lines of calls that strace can be told to strike: it counts by thread, so that the first to come so far is struck, and
 * copies are made on the main thread, all else on the pool's one.
 */
function strikable(trace: string, call: string): string[] {
  const counts = new Map<string, number>();
  let most = 0;
  return trace.split("\n").filter((line) => {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || name !== call) return false;
    const count = (counts.get(thread) ?? 0) + 1;
    counts.set(thread, count);
    if (count <= most) return false;
    most = count;
    return true;
  });
}

export function isBuilt(): boolean {
  return existsSync(join(dist, "main.mjs")) && existsSync(join(dist, "post.mjs"));
}

function straceWords(injection: Injection): string[] {
  const { call } = injection;
  if ("trace" in injection) return ["strace", "-f", "-y", "-qq", "-o", injection.trace, "-e", `trace=${call}`];
  const inject = `inject=${call}:signal=${injection.signal}:when=${injection.when}`;
  return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
}

function ended(
  [program = "", ...words]: readonly string[],
  cwd: string,
  started: (child: ChildProcess) => void,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly exitCode: number | null; readonly log: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    started(child);
    let log = "";
    const collect = (text: string) => {
      log += text;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, log }));
  });
}

/** `name<<delimiter`, lines, `delimiter`; the last value of a name counts. */
function fileCommands(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, name = "", , value = ""] of text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n?^\2$/gm)) values[name] = value;
  return values;
}

function annotationsIn(log: string): Annotation[] {
  return [...log.matchAll(/^::(error|warning|notice)(?: (.*?))?::(.*)$/gm)].map(
    ([, kind = "", properties = "", data = ""]) => {
      const pairs = properties.split(",").map((pair) => pair.split("=", 2) as [string, string]);
      const values = Object.fromEntries(pairs.map(([name, value = ""]) => [name, decoded(value)]));
      return { kind, title: values.title, file: values.file, message: decoded(data) };
    },
  );
}

function decoded(text: string): string {
  const characters: Readonly<Record<string, string>> = { "%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": "," };
  return text.replaceAll(/%(?:25|0D|0A|3A|2C)/g, (code) => characters[code] ?? code);
}
