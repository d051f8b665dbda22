/** From an error to an exit code and to what people and programs are told. */

import { CommanderError } from "commander";
import { ImageError, kebabKeys, UsageError } from "../index.ts";
import { codeOf, systemSentence } from "./system-error.ts";
import { waysOn } from "./ways-on.ts";

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 4, unwritten: 5 } as const;

/** A failure, ready to be printed. */
export interface Failure {
  readonly exitCode: number;
  readonly kind: string;
  readonly message: string;
  /** All reasons of a refusal; empty where the message says it all. */
  readonly reasons: readonly string[];
  /** What to do now, one sentence or command each. */
  readonly advice: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

/** `advice` comes from the command: it alone knows in what state an image was left. */
export function failureOf(error: unknown, advice: readonly string[] = []): Failure {
  if (error instanceof ImageError) {
    const { kind, message, reasons, format, path, structure, hostOffset, guestOffset, operation, journal } = error;
    // Stopped before the first write is a failure like any other: nothing is left to be gone on with.
    const exitCode = journal !== undefined ? EXIT.interrupted : EXIT.failed;
    const rolledBack = error.rolledBack || undefined;
    const details = { format, path, structure, hostOffset, guestOffset, operation, journal, rolledBack };
    return { exitCode, kind, message, reasons, advice, details };
  }
  const text = error instanceof Error ? error.message : String(error);
  const none = { reasons: [], advice, details: {} };
  if (error instanceof UsageError) return { exitCode: EXIT.usage, kind: "usage", message: text, ...none };
  if (error instanceof CommanderError) {
    return { exitCode: EXIT.usage, kind: "usage", message: text.replace(/^error: /, ""), ...none };
  }
  if (error instanceof Error && codeOf(error) !== "") {
    return { exitCode: EXIT.failed, kind: "io", message: systemSentence(error), ...none };
  }
  const message = `A defect in this program: ${text}`;
  const report = "Please report it, with what the same command says with --debug";
  return { exitCode: EXIT.failed, kind: "defect", message, ...none, advice: [...advice, report] };
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

export function failureLines(failure: Failure): string[] {
  // A summary may have said them already.
  const reasons = failure.reasons.filter((reason) => !failure.message.includes(reason));
  const ways = waysOn(failure.message);
  const message = ways?.message ?? failure.message;
  return [message, ...reasons.map((reason) => `  - ${reason}`), ...(ways?.lines ?? []), ...failure.advice];
}
