/** What `qemu-img check` prints on stdout, word for word (learned by running qemu-img 7.2). */

import type { CheckResult } from "../image/finding.ts";

/** What a repair put right, as the fixed part of qemu-img's text counts it. */
export interface RepairedCounts {
  readonly leaksFixed: number;
  readonly corruptionsFixed: number;
}

/** The part before the second check; empty where nothing was repaired. */
export function fixedText({ leaksFixed, corruptionsFixed }: RepairedCounts): string {
  if (leaksFixed + corruptionsFixed === 0) return "";
  return (
    "The following inconsistencies were found and repaired:\n\n" +
    `    ${leaksFixed} leaked clusters\n    ${corruptionsFixed} corruptions\n\n` +
    "Double checking the fixed image now...\n"
  );
}

/** The verdict and the statistics; ends with a line break. */
export function resultText(result: CheckResult): string {
  const { corruptions, leaks, checkErrors, imageEndOffset } = result;
  const parts = [
    corruptions + leaks + checkErrors === 0 ? "No errors were found on the image.\n" : "",
    corruptions === 0
      ? ""
      : `\n${corruptions} errors were found on the image.\n` +
        "Data may be corrupted, or further writes to the image may corrupt it.\n",
    leaks === 0
      ? ""
      : `\n${leaks} leaked clusters were found on the image.\nThis means waste of disk space, but no harm to data.\n`,
    checkErrors === 0 ? "" : `\n${checkErrors} internal errors have occurred during the check.\n`,
    statisticsText(result),
    imageEndOffset === 0 ? "" : `Image end offset: ${imageEndOffset}\n`,
  ];
  return parts.join("");
}

function statisticsText(result: CheckResult): string {
  const { totalClusters, allocatedClusters, fragmentedClusters, compressedClusters } = result;
  if (totalClusters === 0 || allocatedClusters === 0) return "";
  return (
    `${allocatedClusters}/${totalClusters} = ${percent(allocatedClusters, totalClusters)}% allocated, ` +
    `${percent(fragmentedClusters, allocatedClusters)}% fragmented, ` +
    `${percent(compressedClusters, allocatedClusters)}% compressed clusters\n`
  );
}

/** With two digits as C prints them: halves, where they are exact, go to the even digit; `toFixed` rounds them up. */
function percent(part: number, whole: number): string {
  const value = (part * 100) / whole;
  const eighths = value * 8;
  const isHalf = Number.isInteger(eighths) && eighths % 2 === 1;
  if (!isHalf) return value.toFixed(2);
  const hundredths = Math.floor(value * 100);
  return ((hundredths % 2 === 0 ? hundredths : hundredths + 1) / 100).toFixed(2);
}
