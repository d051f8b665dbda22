/** The action's entry. */

import { annotateStep } from "./annotations.ts";
import { cancelSignal } from "./cancel.ts";
import { defectText } from "./defect-text.ts";
import { runStep } from "./run.ts";

try {
  if (!(await runStep(cancelSignal()))) process.exitCode = 1;
} catch (error) {
  annotateStep("A defect in inplace-convert", defectText(error));
  process.exitCode = 1;
}
