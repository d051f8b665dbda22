/** From an error to an exit code and to what people and programs are told. */

import { CommanderError } from "commander";
import { ImageError, kebabKeys, UsageError } from "../index.ts";

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 4 } as const;

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
    const exitCode = kind === "interrupted" || journal !== undefined ? EXIT.interrupted : EXIT.failed;
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
  // Not ours: a defect, so the trace is what a report needs.
  const trace = error instanceof Error ? (error.stack ?? text) : text;
  return { exitCode: EXIT.failed, kind: "defect", message: text, ...none, advice: [...advice, trace] };
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
  return [failure.message, ...reasons.map((reason) => `  - ${reason}`), ...failure.advice];
}
