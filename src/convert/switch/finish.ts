/** The end of a conversion: the undo given up, settled, checked through the file alone, the journal removed. */

import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { openImage } from "../../formats/registry.ts";
import { firstDifference } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import { checkOf } from "../../image/source.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { settle } from "./settle.ts";

type FinishSettings = Pick<Settings, "signal" | "onProgress" | "check" | "verify">;

/** The last check, null with `--no-check`, what settling wrote to the image, and the image as it is now. */
export interface Finished {
  readonly image: Image;
  readonly check: CheckResult | null;
  readonly bytesSettled: number;
}

/**
 * The committed target has been verified. With `keepUndo` the way back stays open as `<image>.inplace-undo`; else it
 * is given up, durably, before the first byte of the old format is overwritten. `opened` is the target as opened after
 * the commit, where this process did that.
 */
export async function finish(
  session: Session,
  journal: ConversionJournal,
  settings: FinishSettings,
  keepUndo: boolean,
  opened?: Image,
): Promise<Finished> {
  const { intent, undoGivenUp } = journal.work;
  // Nobody wrote since it was opened, so what was read of it still holds.
  await session.refuseInterference();
  const target = opened ?? (await openedTwice(session.storage, intent.targetFormat));
  if (keepUndo && !undoGivenUp) {
    const check = await finalCheck(target, settings, true);
    await session.refuseChange();
    await journal.append({ record: "verified", undoGivenUp: false });
    await journal.keepAsUndo();
    return { image: target, check, bytesSettled: 0 };
  }
  if (!undoGivenUp) await journal.append({ record: "verified", undoGivenUp: true });
  const nothing = { bytesWritten: 0, epochCount: 0 };
  const done = intent.keepLeaks ? nothing : await settle(session, target, journal, settings);
  const settled = done.epochCount === 0 ? target : await openImage(session.storage, intent.targetFormat);
  const check = await finalCheck(settled, settings, intent.keepLeaks);
  await session.refuseChange();
  await journal.remove();
  return { image: settled, check, bytesSettled: done.bytesWritten };
}

/**
 * The image as two readings of its tables agree on: after an interruption there is no plan to compare them with, and
 * settling gives up whatever they do not point at.
 */
async function openedTwice(storage: Storage, format: string): Promise<Image> {
  const [image, again] = [await openImage(storage, format), await openImage(storage, format)];
  if (firstDifference(await image.getMapping(), await again.getMapping()) < 0) return image;
  throw new ImageError("io", say`Cannot trust ${imageNamed(storage.path)}`, {
    because: "its tables read differently twice",
    remedy: "look at the disk",
    path: storage.path,
    format,
    operation: "read",
  });
}

/** Throws `verification-failed` where settling left something behind. */
async function finalCheck(image: Image, settings: FinishSettings, leaksAllowed: boolean): Promise<CheckResult | null> {
  if (!settings.check) return null;
  const { format, storage } = image;
  const check = await checkOf(image);
  if (check.corruptions === 0 && check.checkErrors === 0 && (check.leaks === 0 || leaksAllowed)) return check;
  throw new ImageError("verification-failed", say`Cannot vouch for ${imageNamed(storage.path)}`, {
    because: `its last check found ${counted(check.corruptions, "corruption")} and ${counted(check.leaks, "leak")}`,
    path: storage.path,
    format,
    operation: "check",
  });
}
