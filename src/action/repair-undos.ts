/** Repairs can be undone until the step ends: given up here when all went well, taken back by `post` when not. */

import { resume } from "../index.ts";
import type { OpenJournals } from "./images/open-journals.ts";
import { annotateImage } from "./report/annotations.ts";

/** @returns false where an undo could not be given up: `post` then puts that image back */
export async function giveUpRepairUndos(journals: OpenJournals, keepUndo: boolean): Promise<boolean> {
  let isDone = true;
  for (const image of journals.repaired) {
    try {
      if (!keepUndo) await resume(image);
      journals.close(image);
    } catch (error) {
      annotateImage(
        image,
        `Cannot finish the repair of ${image}`,
        error instanceof Error ? error.message : String(error),
      );
      isDone = false;
    }
  }
  return isDone;
}
