/** The action's entry. */

import { cancelSignal } from "./cancel.ts";
import { annotateDefect, catchAllDefects, failUnlessOver } from "./catch-all.ts";
import { runStep } from "./run.ts";

catchAllDefects();

const over = failUnlessOver();
try {
  over(await runStep(cancelSignal()));
} catch (error) {
  annotateDefect(error);
  over(false);
}
