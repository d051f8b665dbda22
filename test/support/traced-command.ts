/** The built command under strace: every call that changes the disk, in order, and any of them killed or failed. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The built command; another build's, where `INPLACE_CLI` names its file: what it did wrong shows that a trial can see it. */
const command = process.env.INPLACE_CLI || fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url));

export const CHANGING_CALLS = ["pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink"] as const;
export type ChangingCall = (typeof CHANGING_CALLS)[number];

export interface TracedCall {
  readonly name: ChangingCall;
  /** Which of its name, from 1, as strace counts: by thread, so that the first thread to come so far is struck. */
  readonly turn: number;
  /** Path of the file that it changes. */
  readonly path: string;
  /** Where a write begins. */
  readonly hostOffset?: number;
}

export interface Ending {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly said: string;
}

/** What strace shall do at a call: `signal=KILL` ends the process before the call does anything. */
export interface Injection {
  readonly call: ChangingCall;
  readonly what: "signal=KILL" | "error=ENOSPC" | "error=EIO";
  readonly turn: number;
  /** Also at every later call of this name. */
  readonly andLater?: boolean;
}

/** `node dist/cli.mjs words...`, plainly. */
export function runCommand(words: readonly string[]): Promise<Ending> {
  return run(process.execPath, [command, ...words]);
}

export function runInjected(words: readonly string[], { call, what, turn, andLater }: Injection): Promise<Ending> {
  const inject = `inject=${call}:${what}:when=${turn}${andLater ? "+" : ""}`;
  const strace = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
  return run("strace", [...strace, process.execPath, command, ...words]);
}

/**
 * Runs to the end and returns what changed the disk, in order; the log goes to `folder`. Left out is what can't be struck,
 * as another thread has made so many calls before: copies are made on the main thread, all else on the pool's one.
 */
export async function traceCommand(words: readonly string[], folder: string): Promise<[Ending, TracedCall[]]> {
  const log = join(folder, "strace.log");
  const strace = ["-f", "-qq", "-y", "-s", "0", "-o", log, "-e", `trace=${CHANGING_CALLS.join(",")}`];
  const ending = await run("strace", [...strace, process.execPath, command, ...words]);
  const turns = new Map<string, number>();
  const most = new Map<string, number>();
  const calls: TracedCall[] = [];
  for (const line of (await readFile(log, "utf8")).split("\n")) {
    const [, thread, name, path] = /^(\d+) +(\w+)\((?:\d+<([^>]*)>|")/.exec(line) ?? [];
    if (name === undefined) continue;
    const turn = (turns.get(`${thread} ${name}`) ?? 0) + 1;
    turns.set(`${thread} ${name}`, turn);
    if (turn <= (most.get(name) ?? 0)) continue;
    most.set(name, turn);
    const hostOffset = name === "pwrite64" ? Number(/, (\d+)(?:\) += | <unfinished)/.exec(line)?.[1]) : undefined;
    calls.push({ name: name as ChangingCall, turn, path: path ?? "", ...(hostOffset !== undefined && { hostOffset }) });
  }
  return [ending, calls];
}

/** Stops the command behind one call, lets it go on once `act` is done; `hasFailed` where a sync told of a lost write. */
export async function runStopped(
  words: readonly string[],
  { name, turn }: TracedCall,
  folder: string,
  act: () => Promise<void>,
): Promise<Ending & { readonly hasFailed: boolean }> {
  const log = join(folder, "stopped.log");
  await rm(log, { force: true });
  const inject = `inject=${name}:signal=STOP:when=${turn}`;
  const strace = ["-f", "-qq", "-o", log, "-e", `trace=${name},fsync,fdatasync`, "-e", inject];
  const child = start("strace", [...strace, process.execPath, command, ...words]);
  const ending = endingOf(child);
  let isOver = false;
  ending.finally(() => {
    isOver = true;
  });
  const said = () => readFile(log, "utf8").catch(() => "");
  let traced: number | undefined;
  const kill = () => {
    if (traced !== undefined) process.kill(traced, "SIGKILL");
    child.kill();
  };
  process.once("exit", kill);
  try {
    while (!(await said()).includes("stopped by SIGSTOP")) {
      if (isOver) throw new Error(`${words.join(" ")} never came to ${name} ${turn}: ${(await ending).said}`);
      await setTimeout(5);
    }
    traced = Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
    await act();
    // Another thread may come as far later on, and is stopped there too.
    for (let stopped = 0; !isOver; await setTimeout(5)) {
      const stops = (await said()).split("stopped by SIGSTOP").length - 1;
      if (stops > stopped) process.kill(traced, "SIGCONT");
      stopped = stops;
    }
    return { ...(await ending), hasFailed: /\bf(?:data)?sync\b.* = -1 E/.test(await said()) };
  } catch (error) {
    kill();
    await ending;
    throw error;
  } finally {
    process.off("exit", kill);
  }
}

function run(program: string, words: readonly string[]): Promise<Ending> {
  return endingOf(start(program, words));
}

/** One thread of the pool, so that strace, which counts by thread, counts all that it does. */
function start(program: string, words: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
  });
}

function endingOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let [stdout, said] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (words) => {
      stdout += words;
      said += words;
    });
    child.stderr.setEncoding("utf8").on("data", (words) => {
      said += words;
    });
    child.on("error", reject).on("close", (exitCode) => resolve({ exitCode, stdout, said }));
  });
}
