/** `check`: what is wrong inside an image, in qemu-img's words; with `repair`, mended and checked again. */

import { checkJson } from "../check/check-json.ts";
import { fixedText, resultText } from "../check/check-text.ts";
import { CheckExit, checkExitCode, verdictOf } from "../check/verdict.ts";
import type { Image } from "../image/driver.ts";
import type { CheckResult } from "../image/finding.ts";
import { type Host, thisHost } from "./host.ts";
import { openImageForReading } from "./opened-guest.ts";
import type { CheckOptions, CheckReport } from "./report.ts";

/**
 * Checks the image at `path`, writing nothing unless `repair` is asked for.
 *
 * @throws ImageError where the image can't be opened or read, and `unsupported` with exit code 63 in mind where its
 * format has no check; what is wrong inside the image is in the report
 */
export async function check(path: string, options: CheckOptions = {}, host: Host = thisHost()): Promise<CheckReport> {
  const image = await openImageForReading(host.volume, path, options.format);
  try {
    return reportOf(path, image, await image.check(options.onFinding), { leaksFixed: 0, corruptionsFixed: 0 });
  } finally {
    await image.storage.close();
  }
}

function reportOf(
  path: string,
  image: Image,
  result: CheckResult,
  fixed: { readonly leaksFixed: number; readonly corruptionsFixed: number },
): CheckReport {
  const isSupported = image.hasCheck ?? true;
  const facts = { ...result, ...fixed, image: path, format: image.format };
  return {
    ...facts,
    verdict: isSupported ? verdictOf(result) : "unsupported",
    exitCode: isSupported ? checkExitCode(result) : CheckExit.unsupported,
    changed: false,
    losses: [],
    givenUp: [],
    json: checkJson(facts),
    fixedText: fixedText(fixed),
    text: resultText(result),
    notes: [],
  };
}
