/** The two ways out of an interrupted conversion or repair, and what a recovery came to, in one sentence for people. */

import type { Intent } from "../../journal/records.ts";
import type { RecoveryReport } from "../report/report.ts";

/** What was asked for, as messages say it. */
export type Direction = "resume" | "roll back";

export function recoveryReport(path: string, format: string, purpose: Intent["purpose"], how: string): RecoveryReport {
  const outcome = purpose === "roll-back" ? "rolled-back" : "resumed";
  return { image: path, format, outcome, message: `${path} is ${format}: ${how}`, notes: [] };
}
