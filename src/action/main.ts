/** The action's entry. */

import { setFlagsFromString } from "node:v8";
import { cancelSignal } from "./cancel.ts";
import { annotateDefect, catchAllDefects, failUnlessOver } from "./catch-all.ts";
import { runStep } from "./run.ts";

catchAllDefects();
// V8 doubles the space for new objects the longer a process makes any (docs/decisions/a-thousand-images.md).
setFlagsFromString("--semi-space-growth-factor=1");

const over = failUnlessOver();
try {
  over(await runStep(cancelSignal()));
} catch (error) {
  annotateDefect(error);
  over(false);
}
