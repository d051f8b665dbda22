/** The action's entry. */

import { annotateStep } from "./annotations.ts";
import { cancelSignal } from "./cancel.ts";
import { runStep } from "./run.ts";

try {
  if (!(await runStep(cancelSignal()))) process.exitCode = 1;
} catch (error) {
  annotateStep("A defect in inplace-convert", error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
