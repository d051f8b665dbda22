/** An image found with a journal: an interrupted run of another step is finished or taken back before ours begins. */

import { resume, rollback, unfinished } from "../../index.ts";
import { closing, interrupted, progressLines, type Work } from "./work.ts";

/**
 * One sentence about what was done; undefined where nothing was open.
 *
 * @param writes false where the image will only be read: an undo beside it is then no hindrance, unless one is asked for
 */
export async function recoverFirst(path: string, work: Work, writes: boolean): Promise<string | undefined> {
  const { inputs, journals, signal } = work;
  const { onInterrupted } = inputs;
  const state = await unfinished(path);
  if (state === "none" || (state === "undo" && !writes && onInterrupted === "fail")) return undefined;
  const what =
    state === "undo"
      ? "the undo of a conversion or repair is kept beside it"
      : "an earlier conversion or repair of it was interrupted";
  if (onInterrupted === "fail") throw interrupted(path, `${what}; set on-interrupted to resume or rollback`);
  if (inputs.convertOptions.dryRun) return `Would first ${onInterrupted}: ${what}`;
  const options = { signal, onProgress: progressLines(path, work) };
  journals.open(path, `${path}.inplace-journal`);
  const { message } = await closing(path, journals, () =>
    (onInterrupted === "resume" ? resume : rollback)(path, options),
  );
  work.log(message);
  return message;
}
