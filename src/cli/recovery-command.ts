/** `resume` and `rollback`: the two ways out of an interrupted conversion. */

import type { RecoveryReport } from "../index.ts";
import { kebabKeys } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, printNotes, printOutcome, required, type Session } from "./session.ts";

export async function resumeCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "resume IMAGE");
  return outcome(session, await session.library.resume(path, watching(session)));
}

export async function rollbackCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "rollback IMAGE");
  return outcome(session, await session.library.rollback(path, watching(session)));
}

function watching({ open: { onProgress, signal } }: Session) {
  return { ...given("onProgress", onProgress), ...given("signal", signal) };
}

function outcome(session: Session, report: RecoveryReport): number {
  printNotes(session, report.notes);
  printOutcome(session, kebabKeys(report), report.message);
  return report.outcome === "nothing-to-do" ? EXIT.failed : EXIT.done;
}
