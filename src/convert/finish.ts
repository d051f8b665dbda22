/** The end of a conversion: the undo given up, settled, checked through the file alone, the journal removed. */

import { ImageError } from "../bytes/image-error.ts";
import { openImage } from "../formats/registry.ts";
import type { CheckResult } from "../image/finding.ts";
import type { Journal } from "../journal/journal.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { settle } from "./settle.ts";

type FinishSettings = Pick<Settings, "signal" | "onProgress" | "check">;

/** The last check, null with `--no-check`, and what settling wrote to the image. */
export interface Finished {
  readonly check: CheckResult | null;
  readonly bytesSettled: number;
}

/**
 * The committed target has been verified. With `keepUndo` the way back stays open as `<image>.inplace-undo`; else it
 * is given up, durably, before the first byte of the old format is overwritten.
 */
export async function finish(
  session: Session,
  journal: Journal,
  settings: FinishSettings,
  keepUndo: boolean,
): Promise<Finished> {
  const { intent, undoGivenUp } = journal.state;
  await session.refuseInterference();
  if (keepUndo && !undoGivenUp) {
    const check = await finalCheck(session, intent.targetFormat, settings, true);
    await journal.append({ record: "verified", undoGivenUp: false });
    await journal.keepAsUndo();
    return { check, bytesSettled: 0 };
  }
  if (!undoGivenUp) await journal.append({ record: "verified", undoGivenUp: true });
  const bytesSettled = intent.keepLeaks ? 0 : await settle(session, intent.targetFormat, journal, settings);
  const check = await finalCheck(session, intent.targetFormat, settings, intent.keepLeaks);
  await journal.remove();
  return { check, bytesSettled };
}

/** Throws `verification-failed` where settling left something behind. */
async function finalCheck(
  session: Session,
  format: string,
  settings: FinishSettings,
  leaksAllowed: boolean,
): Promise<CheckResult | null> {
  if (!settings.check) return null;
  const check = await (await openImage(session.storage, format)).check();
  if (check.corruptions === 0 && check.checkErrors === 0 && (check.leaks === 0 || leaksAllowed)) return check;
  throw new ImageError(
    "verification-failed",
    `Cannot vouch for ${session.path}: its last check found ${check.corruptions} corruptions and ${check.leaks} leaks`,
    { path: session.path, format, operation: "check" },
  );
}
