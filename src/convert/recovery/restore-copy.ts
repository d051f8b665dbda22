/**
 * Back to the old bytes by the copy that an undo kept: one rename. Only where the guest is provably what it was, and
 * nothing else has come to the image since; else the old format is made again, with all that is there now.
 *
 *   compare | "restoring" | the copy takes the image's name, folder | journal gone
 */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { formatToldBy, isTold, reopenImage } from "../../formats/registry.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { firstGuestDifference } from "../../image/guest/compare.ts";
import { openGuestView } from "../../image/guest/view.ts";
import type { Image } from "../../image/source.ts";
import type { ConversionJournal, RearrangementJournal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Journey } from "../../journal/records.ts";
import type { WritableStorage } from "../../storage/storage.ts";
import { digestRanges } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions } from "../options/target-options.ts";
import { firstLostState } from "../proof/verify.ts";
import type { Session } from "../session/session.ts";
import { refuseUsers } from "../session/surroundings.ts";

type TellingJournal = ConversionJournal | RearrangementJournal;

const BECAUSE = "The old bytes are not put back:";

/** True where the rename has been made and only the journal was left; false where the copy went another way. */
export async function isRestored({ volume, path, storage }: Session, { work }: TellingJournal): Promise<boolean> {
  const { restoring, intent } = work;
  if (restoring === undefined || (await volume.facts(journalNamesOf(path).copy)) !== undefined) return false;
  const { format, digest } = restoring;
  const origin = intent.journey?.originFormat;
  const told = await formatToldBy(storage);
  if (origin === undefined || (isTold(origin) && told !== origin)) return false;
  if (told !== format) return true;
  // The same format twice, or a raw disk whose guest bears marks.
  const now = await reopenImage(storage, format).catch(unreadable);
  return typeof now === "string" || (await traitsOf(now, origin)) !== digest;
}

/** What the image is told from its origin by, were the copy gone. */
async function traitsOf(now: Image, originFormat: string): Promise<string> {
  const ranges = new RangeSet();
  if (now.format === originFormat) ranges.addAll(await now.getMetadataRanges());
  ranges.add(0, SECTOR_SIZE);
  return digestRanges(now.storage, ranges);
}

/** The journal goes, and what was put back is durable by its name. */
export async function finishRestoring({ volume, path }: Session, journal: TellingJournal): Promise<void> {
  await volume.syncFolderOf(path);
  await journal.remove();
}

/** False where the old bytes may not come back: a note says why, and nothing was touched. `format` is what the image is now. */
export async function restoreCopy(
  session: Session,
  journal: TellingJournal,
  journey: Journey,
  format: string,
  settings: Settings,
): Promise<boolean> {
  const { volume, path, storage } = session;
  const { originFormat, originOptions } = journey;
  const { copy: copyPath } = journalNamesOf(path);
  if ((await volume.facts(copyPath)) === undefined) {
    session.notes.add(`${BECAUSE} ${copyPath} is gone`);
    return false;
  }
  const copy = await volume.openForWriting(copyPath);
  try {
    const fingerprint = await copy.fingerprint();
    const old = await reopenImage(copy, originFormat, originOptions).catch(unreadable);
    const now = await reopenImage(storage, format);
    const foreign = typeof old === "string" ? old : await whatCame(old, now, journey, settings);
    if (foreign !== undefined) {
      session.notes.add(`${BECAUSE} ${foreign}`);
      return false;
    }
    await copy.sync();
    // Reading may have taken long.
    await session.refuseInterference();
    const digest = await traitsOf(now, originFormat);
    await refuseOtherCopy(session, copy, fingerprint);
    await journal.append({ record: "restoring", format, digest });
    await volume.rename(copyPath, path);
  } finally {
    await copy.close();
  }
  await finishRestoring(session, journal);
  return true;
}

/** What was compared is what takes the image's name. */
async function refuseOtherCopy(session: Session, copy: WritableStorage, fingerprint: string): Promise<void> {
  const { volume, path, verb, notes } = session;
  await refuseUsers({ volume, path: copy.path, verb }, copy, notes);
  if ((await volume.isSameFile(copy.path, copy)) && (await copy.fingerprint()) === fingerprint) return;
  throw new ImageError("changed-underneath", say`Cannot roll back ${imageNamed(path)}`, {
    because: say`its copy ${imageNamed(copy.path)} was changed while the two were compared`,
    remedy: "try again",
    path,
    operation: "compare",
  });
}

/** Of a copy that is no image any more. */
function unreadable(error: unknown): string {
  if (!(error instanceof ImageError) || error.kind === "io" || error.kind === "interrupted") throw error;
  return `their copy can't be read: ${error.message}`;
}

/** What the image has by now that the old bytes have not; undefined where there is nothing. */
async function whatCame(
  old: Image,
  now: Image,
  journey: Journey,
  { signal, backingChain }: Settings,
): Promise<string | undefined> {
  const [before, after] = [old.getConversionOptions(), now.getConversionOptions()];
  if (after.unclean.length > 0) return `the image was used since, and ${after.unclean.join("; ")}`;
  const nameOf = ({ backing }: typeof before) =>
    backing && `${backing.format} ${Buffer.from(backing.nameBytes).toString("hex")}`;
  if (nameOf(before) !== nameOf(after)) return "it has another backing file by now";
  if (now.virtualSize > longestOf(old, journey)) return "its disk is longer by now";
  // What a bitmap holds may be another with the same guest.
  if (after.bitmapNames.length > 0) return "bitmaps may have changed since";
  const snapshots = JSON.stringify((await now.readSnapshots?.()) ?? []);
  if (snapshots !== "[]" && snapshots !== JSON.stringify((await old.readSnapshots?.()) ?? []))
    return "its snapshots are others by now";
  if (before.backing !== undefined) {
    const fillsUnit = backingChain ? now.clusterSize : undefined;
    if (firstLostState(await old.getMapping(), await now.getMapping(), true, fillsUnit) >= 0)
      return "the guest wrote to its disk since";
  }
  const views = [await openGuestView([old]), await openGuestView([now])] as const;
  const isSame = now.virtualSize >= old.virtualSize && (await firstGuestDifference(...views, { signal })) === null;
  return isSame ? undefined : "the guest wrote to its disk since";
}

/** What a conversion makes of the disk's length: whole sectors, or what the goal is rounded to. */
function longestOf({ virtualSize }: Image, { goalFormat, goalOptions }: Journey): number {
  const target = targetDriverOf(goalFormat);
  const grown = target.grownSize?.(virtualSize, parseTargetOptions(goalFormat, target, goalOptions)) ?? 0;
  return Math.max(grown, alignUp(virtualSize, SECTOR_SIZE));
}
