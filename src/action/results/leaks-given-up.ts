/** Leaked clusters that a conversion leaves behind: they may be the only trace of lost data, so that strictness asks for consent. */

import { type ConversionReport, formatSize, type LeaksGivenUp } from "../../index.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { counted } from "./findings.ts";
import type { ImageFailure } from "./image-result.ts";

/** Undefined where there are none. */
export function leaksGivenUpOf({ leaksGivenUp }: ConversionReport): LeaksGivenUp | undefined {
  return leaksGivenUp && leaksGivenUp.clusters > 0 ? leaksGivenUp : undefined;
}

/** `300 leaked clusters, 18.8 MiB`. */
export function leaksText({ clusters, bytes, isSuspicious }: LeaksGivenUp): string {
  const what = `${counted(clusters, "leaked cluster")}, ${formatSize(bytes)}`;
  return isSuspicious ? `${what}: as many as a lost table leaves, perhaps the only trace of lost data` : what;
}

/** Whether leaks need the consent of `drop`. */
export function needsConsent({ failOn, convertOptions }: Inputs): boolean {
  return failOn !== "corruption" && !convertOptions.drop?.includes("leaks");
}

/** @param state of the image, in one sentence */
export function leaksFailure(
  path: string,
  report: ConversionReport,
  inputs: Inputs,
  state: string,
): ImageFailure | undefined {
  const leaks = leaksGivenUpOf(report);
  if (leaks === undefined || !needsConsent(inputs)) return undefined;
  return {
    kind: "leaks",
    message: `Cannot pass ${path}: its conversion gives up ${leaksText(leaks)}; mend it by repair: leaks, or consent by drop: leaks`,
    reasons: [],
    advice: state,
    details: { failOn: inputs.failOn },
  };
}
