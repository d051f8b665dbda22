/** Repairs can be undone until the step ends: given up here when all went well, taken back by `post` when not. */

import { resume } from "../index.ts";
import type { OpenJournals } from "./images/open-journals.ts";
import { undoNotes } from "./images/undo-notes.ts";
import type { Inputs } from "./inputs/inputs.ts";
import { annotateImage } from "./report/annotations.ts";
import type { ImageResult } from "./results/image-result.ts";

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

/**
 * What becomes of the undo of a repair. Where the step fails it is gone over, also that of an image that went well itself;
 * otherwise it stays only where it was asked for.
 */
export async function withUndoOfRepair(
  result: ImageResult,
  inputs: Inputs,
  isGoodSoFar: boolean,
): Promise<ImageResult> {
  if (inputs.mode !== "check" || result.failure || !result.check?.changed) return result;
  const told = (notes: readonly string[]) => ({ ...result, notes: [...(result.notes ?? []), ...notes] });
  if (!isGoodSoFar) return told(["Repaired, but the step failed: the end of this job puts the image back as it was"]);
  return inputs.convertOptions.keepUndo ? told(await undoNotes(result.path ?? result.image)) : result;
}
