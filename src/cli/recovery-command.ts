/** `resume` and `rollback`: the two ways out of an interrupted conversion. */

import type { RecoveryReport } from "../doors.ts";
import { kebabKeys } from "../doors.ts";
import { type CommandRun, given, isUndoKept, printNotes, printOutcome, required, tellOfUndo } from "./command-run.ts";
import { EXIT } from "./failure.ts";
import { afterRecovery } from "./next-steps.ts";
import { rowLines } from "./report-text.ts";

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

async function outcome(run: CommandRun, report: RecoveryReport): Promise<number> {
  // What was interrupted may have been told to keep a way back.
  const isKept = report.outcome !== "rolled-back" && (await isUndoKept(run, report.image));
  printNotes(run, report.notes);
  printOutcome(run, kebabKeys(report), `${report.message}\n${isKept ? "" : rowLines(afterRecovery(report))}`);
  if (isKept) tellOfUndo(run, report.image, "To roll back:", report.diskFile !== undefined);
  return report.outcome === "nothing-to-do" ? EXIT.failed : EXIT.done;
}
