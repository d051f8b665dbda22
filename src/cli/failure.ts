/** From an error to an exit code and to what people and programs are told. */

import { CommanderError } from "commander";
import { commandLine, ImageError, kebabKeys, UsageError } from "../doors.ts";
import { nextStepLines } from "./next-steps.ts";
import { codeOf, systemSentence } from "./system-error.ts";
import { printableLine, type Terminal } from "./terminal.ts";

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 4, unwritten: 5 } as const;

/** A failure, ready to be printed. */
export interface Failure {
  readonly exitCode: number;
  readonly kind: string;
  readonly message: string;
  /** For people: the message without the commands that go on, and those on lines of their own. */
  readonly lines: readonly string[];
  /** All reasons of a refusal; empty where the message says it all. */
  readonly reasons: readonly string[];
  /** What to do now, one sentence or command each. */
  readonly advice: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * `program` is how the user called it. `advice` comes from the command: it alone knows in what state an image was left.
 */
export function failureOf(error: unknown, program: string, advice: readonly string[] = []): Failure {
  const vocabulary = commandLine(program);
  if (error instanceof ImageError) {
    const { kind, reasons, refusals, format, path, structure, hostOffset, guestOffset, operation, journal } = error;
    // Stopped before the first write is a failure like any other: nothing is left to be gone on with.
    const exitCode = journal !== undefined ? EXIT.interrupted : EXIT.failed;
    const rolledBack = error.rolledBack || undefined;
    const details = { format, path, structure, hostOffset, guestOffset, operation, journal, rolledBack };
    const message = error.sentence.in(vocabulary);
    // A summary may have said them already.
    const unsaid = refusals.map((reason) => reason.in(vocabulary)).filter((reason) => !message.includes(reason));
    const lines = [
      error.statement.in(vocabulary),
      ...unsaid.map((reason) => `  - ${reason}`),
      ...(error.words.nextSteps ? nextStepLines(error.words.nextSteps, program) : []),
    ];
    return { exitCode, kind, message, lines, reasons, advice, details };
  }
  const text = error instanceof Error ? error.message : String(error);
  const plain = (exitCode: number, kind: string, message: string, more: readonly string[] = []): Failure => {
    return { exitCode, kind, message, lines: [message], reasons: [], advice: [...advice, ...more], details: {} };
  };
  if (error instanceof UsageError) return plain(EXIT.usage, "usage", error.sentence.in(vocabulary));
  if (error instanceof CommanderError) return plain(EXIT.usage, "usage", text.replace(/^error: /, ""));
  if (error instanceof Error && codeOf(error) !== "") {
    return plain(EXIT.failed, "io", systemSentence(error));
  }
  const report = "Please report it, with what the same command says with --debug";
  return plain(EXIT.failed, "defect", `A defect in this program: ${text}`, [report]);
}

/** Where in the program it came up, its causes after it: for `--debug` alone. */
export function traceOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) lines.push(...(at.stack ?? at.message).split("\n"));
  return lines;
}

/** `{"error": {…}}`, with `refused` beside it where there are reasons. */
export function failureJson(failure: Failure): Readonly<Record<string, unknown>> {
  const { kind, reasons, details } = failure;
  const message = [failure.message, ...failure.advice].join("; ");
  const error = kebabKeys({ kind, message, ...details });
  return reasons.length === 0 ? { error } : { error, refused: reasons };
}

/** Tells people, on stderr; `trace` comes last. */
export function noteFailure({ lines, advice }: Failure, terminal: Terminal, trace: readonly string[] = []): void {
  for (const [index, line] of [...lines, ...advice, ...trace].entries())
    terminal.note(printableLine(index === 0 ? `inplace-convert: ${line}` : line));
}
