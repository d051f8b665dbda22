/** The error of a run that leaves its journal beside the image: the image is whole, and two commands go on. */

import { ImageError } from "../../bytes/image-error.ts";
import type { Journal } from "../../journal/journal.ts";

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

/** On a way of several steps the old format is made again; else only while the old layout is there. */
function leadsBack({ work }: Journal): boolean {
  if (!work.undoGivenUp || work.kind === "rearrangement") return true;
  return work.kind === "conversion" && work.intent.journey !== undefined;
}

const STANDS = "the image is whole and its journal stands";

/** What is said of an image that a failed run left as it had found it. */
export const PUT_BACK = "the image was put back as it was";
