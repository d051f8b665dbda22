/** `resume` and `rollback`: the two ways out of an interrupted conversion. */

import type { RecoveryReport } from "../doors.ts";
import { kebabKeys } from "../doors.ts";
import { type CommandRun, given, printNotes, printOutcome, required } from "./command-run.ts";
import { EXIT } from "./failure.ts";

export async function resumeCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "resume IMAGE");
  return outcome(run, await run.library.resume(path, watching(run)));
}

export async function rollbackCommand(run: CommandRun, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "rollback IMAGE");
  return outcome(run, await run.library.rollback(path, watching(run)));
}

function watching({ open: { onProgress, signal } }: CommandRun) {
  return { ...given("onProgress", onProgress), ...given("signal", signal) };
}

function outcome(run: CommandRun, report: RecoveryReport): number {
  printNotes(run, report.notes);
  printOutcome(run, kebabKeys(report), report.message);
  return report.outcome === "nothing-to-do" ? EXIT.failed : EXIT.done;
}
