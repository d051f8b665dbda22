/** `repair` and `fail-on` before a conversion: the image checked, mended, and put back where it could not be converted then. */

import { type CheckReport, ImageError, joined, plan, resume, rollback } from "../../index.ts";
import { needsConsent } from "../results/leaks-given-up.ts";
import { amounts, checkFailure } from "./check-failure.ts";
import { checkKeepingUndo } from "./check-image.ts";
import type { ImageToDo, Work } from "./work.ts";

/** Undefined where neither input asks for it. Throws where the image must not be converted; it is then as it was. */
export async function repairFirst(image: ImageToDo, work: Work): Promise<CheckReport | undefined> {
  const { inputs } = work;
  const { dryRun, check: isChecked } = inputs.convertOptions;
  if (!isChecked || (inputs.repair === "none" && inputs.failOn === "corruption")) return undefined;
  const report = await checkKeepingUndo(image.path, dryRun ? "none" : inputs.repair, work);
  try {
    if (!dryRun || inputs.repair === "none") refuseBadCheck(image.path, report, work);
    if (report.changed) await refuseWhatPlansRefuse(image, work);
  } catch (error) {
    if (report.changed) await takeBack(image.path, work);
    throw error;
  }
  if (report.changed) {
    // From here on the conversion has its own way back.
    await resume(image.path);
    work.journals.close(image.path);
    work.log(`${image.path}: repaired, ${report.corruptionsFixed + report.leaksFixed} put right`);
  }
  return report;
}

/** What a dry run of an image that a repair would have to mend first can't know. */
export function needsRepair(report: CheckReport | undefined, { inputs }: Work): string | undefined {
  if (report === undefined || !inputs.convertOptions.dryRun || inputs.repair === "none") return undefined;
  if (report.corruptions + report.checkErrors + report.warnings === 0) return undefined;
  return `Would first repair it (${amounts(report)}); what its conversion writes can be told only then`;
}

function refuseBadCheck(path: string, report: CheckReport, { inputs }: Work): void {
  // By consent the conversion gives them up.
  const judged = needsConsent(inputs) ? report : { ...report, leaks: 0 };
  const advice = adviceOn(judged, inputs);
  const failure = checkFailure(path, judged, inputs.failOn, "the check before its conversion", advice);
  if (failure === undefined) return;
  throw new ImageError("corrupt", failure.message, {
    remedy: advice,
    path,
    format: report.format,
    operation: "check",
    reasons: failure.reasons,
  });
}

/** Leaks alone may be given up; a QED image's can't even be mended. */
function adviceOn({ corruptions, checkErrors, leaks }: CheckReport, { repair }: Work["inputs"]): string {
  const mend = repair === "none" ? "set repair to leaks or all to mend it first" : "repairing it left this";
  const mayGo = leaks > 0 && corruptions + checkErrors === 0;
  return mayGo ? `${mend}, or add leaks to drop to give them up` : mend;
}

async function refuseWhatPlansRefuse({ path }: ImageToDo, { inputs }: Work): Promise<void> {
  const { report, refusals } = await plan(path, inputs.targetFormat, {
    ...inputs.convertOptions,
    ignoreUnfinished: true,
  });
  if (refusals.length === 0) return;
  throw new ImageError("unsupported", `Cannot convert ${path}`, {
    because: joined(refusals, "; "),
    path,
    format: report.sourceFormat,
    operation: "plan",
    reasons: refusals,
  });
}

/** Where even that fails the journal stands, and `post` tries again. */
async function takeBack(path: string, { journals }: Work): Promise<void> {
  await rollback(path);
  journals.close(path);
}
