/** The end of a conversion: the undo given up, settled, checked through the file alone, the journal removed. */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isAsTextSays, reopenImage } from "../../formats/registry.ts";
import { leavesLeaks } from "../../formats/target-registry.ts";
import { firstDifference } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import { checkOf } from "../../image/source.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { removeText } from "../execute/name.ts";
import type { Settings } from "../options/settings.ts";
import { isTextOf } from "../session/named-image.ts";
import type { Session } from "../session/session.ts";
import { cutAt } from "../undo/overlays.ts";
import { frontIsOurs, sourceIsUntouched } from "../undo/switch-undo.ts";
import { settle } from "./settle.ts";
import type { Switched } from "./switch.ts";

type FinishSettings = Pick<Settings, "signal" | "onProgress" | "check" | "verify">;

/** What becomes of the journal. `hands on`: it stands, for the next step to take its place. */
export type Ending = "removed" | "kept as undo" | "handed on";

/** The last check, null with `--no-check`, what settling wrote to the image, and the image as it is now. */
export interface Finished {
  readonly image: Image;
  readonly check: CheckResult | null;
  readonly bytesSettled: number;
}

/**
 * The committed target has been verified. With `keepUndo` the way back stays open as `<image>.inplace-undo`; else it
 * is given up, durably, before the first byte of the old format is overwritten. `switched` is the target as opened after
 * the commit, where this process did that.
 */
export async function finish(
  session: Session,
  journal: ConversionJournal,
  settings: FinishSettings,
  { ending, settles = ending !== "handed on" }: { readonly ending: Ending; readonly settles?: boolean },
  switched?: Pick<Switched, "target" | "committedAt">,
): Promise<Finished> {
  const { intent, undoGivenUp } = journal.work;
  const { cutTo } = intent;
  const storage = cutAt(session.storage, cutTo);
  // Nobody wrote since it was opened, so what was read of it still holds. Who settles it looks anew before each epoch.
  await session.refuseInterference(switched && { since: switched.committedAt });
  const target = switched?.target ?? (await openedTwice(storage, intent.targetFormat));
  // What is longer than its disk is not what was asked for: there only the old format is led back to, not the old bytes.
  if (ending === "kept as undo" && !undoGivenUp && cutTo === undefined) {
    const check = await finalCheck(target, settings, true);
    await session.refuseChange();
    await journal.append({ record: "verified", undoGivenUp: false });
    await journal.keepAsUndo();
    return { image: target, check, bytesSettled: 0 };
  }
  const text = await staleText(session);
  // Where nothing is left to be given up, the way back is open until the journal is gone.
  const settlesIt = settles && !intent.keepLeaks && target.planSettling !== undefined;
  const givesUp = cutTo !== undefined || text !== undefined || settlesIt;
  if (!undoGivenUp) await journal.append({ record: "verified", undoGivenUp: givesUp });
  await cutToDisk(session, journal);
  if (text !== undefined) {
    await session.refuseInterference();
    await removeText(session, text);
  }
  const nothing = { bytesWritten: 0, epochCount: 0 };
  const done =
    intent.keepLeaks || !settles
      ? nothing
      : await settle(session, target, { journal, commitHostOffset: journal.work.commitHostOffset }, settings);
  const isSettled = done.epochCount > 0 || cutTo !== undefined;
  const settled = isSettled ? await reopenImage(session.storage, intent.targetFormat) : target;
  const mayLeak = intent.keepLeaks || !settles || leavesLeaks(intent.targetFormat);
  const check = await finalCheck(settled, settings, mayLeak);
  await session.refuseChange();
  if (ending === "kept as undo") await journal.keepAsUndo();
  if (ending === "removed") await journal.remove();
  return { image: settled, check, bytesSettled: done.bytesWritten };
}

/** The name of a text beside the file that says it is of a format in which it is no more, by the file's own mark: nobody can open it by that. */
async function staleText({ storage, path }: Session): Promise<string | undefined> {
  const text = await storage.sidecar?.();
  if (text === undefined || !isTextOf(text, path) || (await isAsTextSays(storage, text.bytes))) return undefined;
  return text.name;
}

/**
 * The file's end says how long the disk is: what is behind it goes. Unless somebody used the longer disk since and wrote
 * to its first bytes, where a partition or file system is made larger, or to what lies behind it: then it is theirs. A
 * disk that ends inside its last sector keeps that whole where a guest has written to its rest.
 */
export async function cutToDisk(session: Session, { work }: ConversionJournal): Promise<void> {
  const { storage } = session;
  const { cutTo } = work.intent;
  if (cutTo === undefined || (await storage.size()) <= cutTo || !(await frontIsOurs(storage, work))) return;
  if (!(await sourceIsUntouched(storage, work))) return;
  const rest = await readZeroFilled(storage, cutTo, alignUp(cutTo, SECTOR_SIZE) - cutTo);
  await session.refuseInterference();
  await storage.resize(rest.some((byte) => byte !== 0) ? cutTo + rest.length : cutTo);
  await storage.sync();
}

/**
 * The image as two readings of its tables agree on: after an interruption there is no plan to compare them with, and
 * settling gives up whatever they do not point at.
 */
async function openedTwice(storage: Storage, format: string): Promise<Image> {
  const [image, again] = [await reopenImage(storage, format), await reopenImage(storage, format)];
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
  if (!settings.check || image.check === undefined) return null;
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
