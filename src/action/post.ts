/** After the job, whatever became of it: what `main` left open is put back, or finished where the target was verified. */

import { info, notice } from "@actions/core";
import { ImageError, resume, rollback, unfinished } from "../index.ts";
import { annotateDefect, catchAllDefects, failUnlessOver } from "./catch-all.ts";
import { journalsLeftOpen, type OpenJournal } from "./images/open-journals.ts";
import { performSaves } from "./pending-saves.ts";
import { annotateImage } from "./report/annotations.ts";
import { safeLine } from "./report/safe-text.ts";

async function close({ image, of }: OpenJournal): Promise<void> {
  const found = await unfinished(image);
  if (found === "none") return clear(image);
  if (found === "verified") logRecovery(image, "finished", await resume(image));
  // A conversion's undo is kept on request, and its time is the user's to choose. A repair's is the step's own: where
  // it still stands the step did not end well.
  const state = found === "verified" ? await unfinished(image) : found;
  if (state === "open" || (state === "undo" && of === "repair")) logRecovery(image, "put back", await rollback(image));
}

function logRecovery(image: string, what: string, { message }: { readonly message: string }): void {
  notice(safeLine(message), { title: safeLine(`${image}: ${what}`) });
}

/** A dead owner's lock and a journal cut off before the first write may still lie there. */
async function clear(image: string): Promise<void> {
  try {
    await rollback(image);
  } catch (error) {
    if (!(error instanceof ImageError) || error.journal !== undefined) throw error;
    info(safeLine(`${image}: nothing to roll back`));
  }
}

catchAllDefects();

const over = failUnlessOver();
let isWell = true;
try {
  const journals = journalsLeftOpen();
  for (const journal of journals) {
    const { image } = journal;
    try {
      await close(journal);
    } catch (error) {
      annotateImage(image, `Cannot put ${image} back`, error instanceof Error ? error.message : String(error));
      isWell = false;
    }
  }
  if (journals.length === 0) await performSaves();
} catch (error) {
  annotateDefect(error);
  isWell = false;
}
over(isWell);
