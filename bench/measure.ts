/** Runs commands one by one and measures them: wall time, memory, bytes written, space taken. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const command = fileURLToPath(new URL("../dist/cli.mjs", import.meta.url));
const GNU_TIME = "/usr/bin/time";

export interface Measured {
  readonly milliseconds: number;
  /** Largest resident set in bytes; `undefined` without GNU time. */
  readonly peakMemory: number | undefined;
  readonly stdout: string;
}

/** Runs a program to its end; throws with its words where its exit code is none of those expected. */
export async function measure(
  words: readonly string[],
  folder: string,
  expected: readonly number[] = [0],
): Promise<Measured> {
  const notes = join(folder, "time.txt");
  const timed = existsSync(GNU_TIME) ? [GNU_TIME, "-q", "-f", "%M", "-o", notes, ...words] : words;
  const start = performance.now();
  const child = spawn(timed[0] as string, timed.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const said: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      said[name] += text;
    });
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("exit", resolve);
  });
  const milliseconds = performance.now() - start;
  if (exitCode === null || !expected.includes(exitCode))
    throw new Error(`${words.join(" ")} ended with ${exitCode}: ${said.stderr}${said.stdout}`);
  const peakMemory = timed === words ? undefined : Number(readFileSync(notes, "utf8").trim()) * 1024;
  return { milliseconds, peakMemory, stdout: said.stdout };
}

/** Our command, its report parsed. */
export async function measureOurs(
  words: readonly string[],
  folder: string,
): Promise<Measured & { readonly report: OurReport }> {
  const measured = await measure([process.execPath, command, ...words, "--output", "json"], folder);
  return { ...measured, report: JSON.parse(measured.stdout) };
}

/** What the figures need of the command's JSON. */
export interface OurReport {
  readonly changed?: boolean;
  readonly "bytes-written": number;
  readonly "bytes-moved": number;
  readonly "bytes-settled": number;
  readonly "peak-extra-bytes": number;
  readonly syncs: number;
  readonly checksum?: string;
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** Both ways by turns, so that whatever else the machine does falls on both alike. */
export async function byTurns<A, B>(
  runs: number,
  ours: () => Promise<A>,
  theirs: () => Promise<B>,
): Promise<[A[], B[]]> {
  const all: [A[], B[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    all[0].push(await ours());
    all[1].push(await theirs());
  }
  return all;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function medianTime(all: readonly Measured[]): number {
  return median(all.map(({ milliseconds }) => milliseconds));
}

/** A fresh copy, holes kept, on the disk and in the page cache before any clock starts. */
export function freshCopy(from: string, to: string): string {
  execFileSync("cp", ["--reflink=auto", "--sparse=auto", from, to]);
  syncFile(to);
  return to;
}

export function syncFile(path: string): void {
  const descriptor = openSync(path, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Bytes that a file takes on the disk; 0 where there is none. */
export function allocated(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

/** The most that the files took together while `work` ran, looked at every other millisecond. */
export async function watchAllocated<T>(paths: readonly string[], work: () => Promise<T>): Promise<[T, number]> {
  let most = 0;
  const look = () => {
    most = Math.max(
      most,
      paths.reduce((sum, path) => sum + allocated(path), 0),
    );
  };
  const timer = setInterval(look, 2);
  try {
    const result = await work();
    look();
    return [result, most];
  } finally {
    clearInterval(timer);
  }
}

export interface Traced {
  readonly bytesWritten: number;
  readonly syncs: number;
}

/** What the kernel saw our command write and sync; `undefined` without strace. */
export function traceOurs(words: readonly string[], folder: string): Traced | undefined {
  const log = join(folder, "strace.log");
  const calls = "trace=pwrite64,pwritev,write,writev,fsync,fdatasync";
  const strace = ["-f", "-qq", "-y", "-s", "0", "-o", log, "-e", calls, process.execPath, command, ...words];
  const { error, status } = spawnSync("strace", strace, { stdio: "ignore" });
  if (error || status !== 0) return undefined;
  let [bytesWritten, syncs] = [0, 0];
  const unfinished = new Map<string, string>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    // A call during which another thread made one stands on two lines.
    const [, begun] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? [];
    if (begun !== undefined) unfinished.set(thread, begun);
    const whole = rest.replace(/^<\.\.\. \w+ resumed>/, () => unfinished.get(thread) ?? "");
    // Pipes and event counters are no files of ours.
    const [, name, path = "", result] = /^(\w+)\(\d+<([^>]*)>.*= (\d+)$/.exec(whole) ?? [];
    if (name === undefined || !path.startsWith(folder)) continue;
    if (name === "fsync" || name === "fdatasync") syncs++;
    else bytesWritten += Number(result);
  }
  return { bytesWritten, syncs };
}
