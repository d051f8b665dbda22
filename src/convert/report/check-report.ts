/** The report of a check, and what is drawn of its image. */

import { checkJson } from "../../check/check-json.ts";
import { fixedText, resultText } from "../../check/check-text.ts";
import { CheckExit, checkExitCode, verdictOf } from "../../check/verdict.ts";
import { layoutOf } from "../../image/file-layout.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import type { CheckOptions } from "../options/options.ts";
import type { CheckReport } from "./report.ts";

/** What is wrong with the image is in the findings already. */
export async function pictureOf(image: Image, { layout }: CheckOptions): Promise<Pick<CheckReport, "layout">> {
  const drawn = layout ? await layoutOf(image).catch(() => undefined) : undefined;
  return drawn ? { layout: drawn } : {};
}

/** Of what was found and mended; a format without a check has nothing found. */
export function reportOf(
  path: string,
  image: Image,
  result: CheckResult,
  fixed: { readonly leaksFixed: number; readonly corruptionsFixed: number },
): CheckReport {
  const isSupported = image.check !== undefined;
  const facts = { ...result, ...fixed, image: path, format: image.format };
  return {
    ...facts,
    verdict: isSupported ? verdictOf(result) : "unsupported",
    exitCode: isSupported ? checkExitCode(result) : CheckExit.unsupported,
    changed: false,
    losses: [],
    givenUp: [],
    bytesWritten: 0,
    syncs: 0,
    milliseconds: {},
    json: checkJson(facts),
    fixedText: fixedText(fixed),
    text: resultText(result),
    notes: [],
  };
}
