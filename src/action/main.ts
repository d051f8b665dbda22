/** The action's entry. */

import { cancelSignal } from "./cancel.ts";
import { annotateDefect, catchAllDefects } from "./catch-all.ts";
import { runStep } from "./run.ts";

catchAllDefects();

try {
  if (!(await runStep(cancelSignal()))) process.exitCode = 1;
} catch (error) {
  annotateDefect(error);
  process.exitCode = 1;
}
