/**
 * The conversion behind `convert`, `compact`, `resume` and `rollback`: a walk of steps, each planned for good from the
 * image as it then stands, until it is what was asked for.
 *
 *   inspect | first look: digest, zeros | step | inspect | step | ... | last look: check, digest | journal removed
 */

import type { Settings } from "../options/settings.ts";
import type { ConversionReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import type { Beginning } from "./switch-step.ts";
import { Walk } from "./walk.ts";

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
