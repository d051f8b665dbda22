/**
 * The conversion behind `convert`, `compact`, `resume` and `rollback`: a walk of steps, each planned for good from the
 * image as it then stands, until it is what was asked for.
 *
 *   inspect | first look: digest, zeros | step | inspect | step | ... | last look: check, digest | journal removed
 */

import type { Journey } from "../../journal/records.ts";
import { pathTo, type Step } from "../../plan/path.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { ConversionReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import { isAsAsked } from "../switch/switch-planning.ts";
import type { DiskWish } from "./disk-wish.ts";
import type { Beginning } from "./switch-step.ts";
import { Walk } from "./walk.ts";
import { carrierWaypoint, waypointOf } from "./wish.ts";

export type { Beginning } from "./switch-step.ts";

/** Converts the session's image. Throws with the image as it was, or with `journal` set in the error where that stands. */
export async function runConversion(
  session: Session,
  targetFormat: string,
  settings: Settings,
  beginning: Beginning = { purpose: "convert" },
): Promise<ConversionReport> {
  return new Walk(session, targetFormat, settings, beginning).run();
}

/** The steps that lead on from here, as if nothing had been done before. */
export function stepsFrom(source: Source, journey: Journey, { change }: DiskWish): readonly Step[] {
  const { goalFormat, goalOptions, wishes } = journey;
  const from = {
    ...waypointOf(source.image.format),
    isAsAsked: change === undefined && isAsAsked(source, goalFormat, goalOptions),
    standing: "elsewhere",
    relocates: change !== undefined,
  } as const;
  return pathTo(from, waypointOf(goalFormat), carrierWaypoint(), wishes);
}
