/** A world for the command line: a library that remembers its calls, and what was printed. */

import { EventEmitter } from "node:events";
import type { Library } from "../../../src/cli/library.ts";
import { runCommandLine } from "../../../src/cli/program.ts";
import type { ConversionReport } from "../../../src/index.ts";

export const report: ConversionReport = {
  image: "disk.qed",
  sourceFormat: "qed",
  targetFormat: "qcow2",
  changed: true,
  virtualSize: 10 * 1024 ** 3,
  clusterSize: 65536,
  guestDataBytes: 3 * 1024 ** 3,
  bytesWritten: 1_720_000,
  bytesMoved: 0,
  bytesSettled: 0,
  peakExtraBytes: 1_720_000,
  syncs: 7,
  fileSizeBefore: 4 * 1024 ** 3,
  fileSizeAfter: 4 * 1024 ** 3 + 1_720_000,
  guestChecksum: { algorithm: "blkhash-sha256", covers: "guest", before: "ab".repeat(32), after: "ab".repeat(32) },
  check: { before: null, after: null },
  path: [{ step: "switch", to: "qcow2" }],
  dropped: [],
  refused: [],
  rolledBack: false,
  milliseconds: { write: 50, "roll back": 2 },
  notes: [],
};

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Each call of the library: its name, then its arguments. */
  readonly calls: readonly (readonly unknown[])[];
}

interface Outside {
  readonly signals?: EventEmitter;
  readonly invocation?: string;
  /** What keeps results from being written. */
  readonly loss?: Error;
  readonly uncaught?: Promise<never>;
  /** Where a progress bar may be drawn; nowhere by default. */
  readonly bar?: NodeJS.WritableStream;
  readonly isWatched?: boolean;
  readonly columns?: number;
  readonly progressDelay?: number;
}

/** Runs a command line; whatever `answers` lacks fails when it is called. */
export async function run(
  words: string | readonly string[],
  answers: Partial<Library> = {},
  outside: Outside = {},
): Promise<Run> {
  let [stdout, stderr] = ["", ""];
  const calls: unknown[][] = [];
  const library = new Proxy({} as Library, {
    get: (_target, name: keyof Library) => {
      return (...given: unknown[]) => {
        calls.push([name, ...given]);
        const answer = answers[name] as ((...words: unknown[]) => unknown) | undefined;
        if (answer === undefined) throw new TypeError(`${name} was not expected`);
        return answer(...given);
      };
    },
  });
  const terminal = {
    result: (text: string) => {
      stdout += text;
    },
    note: (line: string) => {
      stderr += `${line}\n`;
    },
    loss: async () => outside.loss,
    bar: outside.bar,
    isWatched: outside.isWatched ?? false,
    hasColor: false,
    columns: outside.columns,
    now: () => 0,
    invocation: outside.invocation ?? "inplace-convert",
  };
  const signals = outside.signals ?? new EventEmitter();
  const exitCode = await runCommandLine(typeof words === "string" ? words.split(" ").filter(Boolean) : words, {
    library,
    terminal,
    signals,
    ...(outside.progressDelay !== undefined && { progressDelay: outside.progressDelay }),
    ...(outside.uncaught && { uncaught: outside.uncaught }),
  });
  return { exitCode, stdout, stderr, calls };
}
