/** What nobody expected ends the step in one sentence, never with a trace of bundled code. */

import { annotateStep } from "./report/annotations.ts";
import { DEFECT_ADVICE, isOfSystem, traceOf } from "./results/defect.ts";

/** What Node ends with by itself where a module still waits for something and nothing is under way. */
const UNSETTLED = 13;

/** The whole step ends with it. */
export function annotateDefect(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (isOfSystem(error)) annotateStep("The step could not go on", [message, traceOf(error)].filter(Boolean).join("\n"));
  else annotateStep("A defect in inplace-convert", [message, DEFECT_ADVICE, traceOf(error)].filter(Boolean).join("\n"));
}

/** What nobody catches ends the step in the same words; each journal makes leaving safe at any point. */
export function catchAllDefects(): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      annotateDefect(error);
      process.exit(1);
    });
  }
  // Whoever read what we say is gone or has no room: the work is what counts, and the step's end tells that it failed.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      process.exitCode = 1;
    });
  }
}

/** Where nothing is left that this process could wait for, it ends, with the work done or not: it fails until it is told. */
export function failUnlessOver(): (isWell: boolean) => void {
  let isOver = false;
  process.on("exit", (code) => {
    if (isOver || (code !== 0 && code !== UNSETTLED)) return;
    annotateDefect(new Error("it ended before its work did"));
    process.exitCode = 1;
  });
  return (isWell) => {
    isOver = true;
    if (!isWell) process.exitCode = 1;
  };
}
