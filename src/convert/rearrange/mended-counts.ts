/** Counts that moving does not lower, mended before anything moves. */

import { reopenImage } from "../../formats/registry.ts";
import { checkOf, type Image } from "../../image/source.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { Epochs } from "./epochs.ts";
import { failed, openJournal, type RearrangeStep } from "./rearrange-step.ts";

/**
 * What two point at can be cut off with one pointer moved and one not: then each place has one, and the count of two, which
 * moving does not lower. A check gives such back, with the flags that go with a count of one.
 */
export async function mendCounts(
  step: RearrangeStep,
  begun?: RearrangementJournal,
): Promise<{ readonly mended: Image; readonly journal: RearrangementJournal | undefined }> {
  const { session, settings, image } = step;
  const { leaks } = await checkOf(image);
  const repair = leaks > 0 ? await image.planRepair?.({ scope: "leaks", allowDataLoss: false }) : undefined;
  if (repair === undefined || repair.steps.length === 0) return { mended: image, journal: begun };
  const journal = begun ?? (await openJournal(step));
  try {
    const epochs = new Epochs(session, journal, settings);
    for (const { purpose, writes } of repair.steps) await epochs.tidy({ purpose, repoints: true, writes });
    return { mended: await reopenImage(session.storage, image.format), journal };
  } catch (error) {
    throw await failed(session, journal, error);
  }
}
