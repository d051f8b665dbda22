/** `resume` and `rollback`: the two ways out of an interrupted conversion. */

import type { RecoveryReport } from "../index.ts";
import { EXIT, failureJson } from "./failure.ts";
import { kebabKeys } from "./json.ts";
import { given, isJson, printOutcome, required, type Session } from "./session.ts";
import { printableLine } from "./terminal.ts";

export async function resumeCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "resume IMAGE");
  const report = await session.library.resume(path, recoveryOptions(session));
  return outcome(session, report, `Nothing to resume for ${path}`);
}

export async function rollbackCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "rollback IMAGE");
  const report = await session.library.rollback(path, recoveryOptions(session));
  return outcome(session, report, `Nothing to roll back for ${path}`);
}

function recoveryOptions({ open, values }: Session) {
  const { onProgress, signal } = open;
  return { ...given("onProgress", onProgress), ...given("signal", signal), ...given("journal", values.journal) };
}

function outcome(session: Session, report: RecoveryReport, nothing: string): number {
  if (report.outcome !== "nothing-to-do") {
    printOutcome(session, kebabKeys(report), report.message);
    return EXIT.done;
  }
  session.terminal.note(printableLine(nothing));
  if (isJson(session)) {
    const details = { path: report.image, format: report.format };
    const failure = {
      exitCode: EXIT.failed,
      kind: "nothing-to-do",
      message: nothing,
      reasons: [],
      advice: [],
      details,
    };
    printOutcome(session, failureJson(failure), "");
  }
  return EXIT.failed;
}
