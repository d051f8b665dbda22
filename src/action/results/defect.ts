/** What failed and is none of our own errors is a defect: its trace is for those who debug. */

export const DEFECT_ADVICE =
  "This is a defect of inplace-convert, please report it; a run with debug logging (RUNNER_DEBUG=1) shows its trace";

/** Undefined where nobody debugs: a trace of bundled code tells a user nothing. */
export function traceOf(error: unknown): string | undefined {
  return process.env.RUNNER_DEBUG === "1" && error instanceof Error ? error.stack : undefined;
}

/** A full disk, a file that is gone: no defect of ours. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}
