/** The error of a run that leaves its journal beside the image: the image is whole, and two commands go on. */

import { ImageError } from "../../bytes/image-error.ts";
import type { Journal } from "../../journal/journal.ts";
import { canBeMade } from "./way-back.ts";

/** The error of a run that left its journal: says which command goes on. */
export function leavingJournal(path: string, journal: Journal, error: unknown): ImageError {
  const failure =
    error instanceof ImageError ? error : new ImageError("io", error instanceof Error ? error.message : String(error));
  return failure.leaving(STANDS, {
    path,
    journal: journal.path,
    cause: error,
    nextSteps: {
      finish: { ref: "command", command: "resume", options: [], path },
      ...(leadsBack(journal) && {
        putBack: { ref: "command", command: "rollback", options: [], path },
      }),
    },
  });
}

/** While the old layout is there; later, on a way of several steps, where the old format can be made again. */
function leadsBack({ work }: Journal): boolean {
  const journey = work.kind === "conversion" || work.kind === "rearrangement" ? work.intent.journey : undefined;
  const isMoved = work.kind === "rearrangement" || (journey?.stepsTaken ?? 0) > 0;
  if (!isMoved && !work.undoGivenUp) return true;
  return journey !== undefined && (journey.hasCopy === true || canBeMade(journey.originFormat));
}

const STANDS = "the image is whole and its journal stands";

/** What is said of an image that a failed run left as it had found it. */
export const PUT_BACK = "the image was put back as it was";
