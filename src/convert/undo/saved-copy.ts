/**
 * The undo of a path that rearranges, where the file system copies a file for nothing: the image as it was, under a name of
 * its own, whose blocks are the image's until one of them is written.
 *
 *   copy | sync, folder | journal | the image's first write | ... | undo given up, journal gone | copy gone
 */

import { MiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, type Sentence, say } from "../../bytes/sentence.ts";
import { removeCopy } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import { digestRanges, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";

/** Beside what the copy may come to take, for all else that a conversion writes. */
const ROOM_BESIDE = 64 * MiB;

/** What became of it: bytes that the copy may come to take, or why none was made. */
export type Saved = { readonly bytes: number } | { readonly why: Sentence | string };

/** Made and durable before the image's first write; what fails leaves none. */
export async function saveCopy(session: Session, source: Source, { maxExtraSpace }: Settings): Promise<Saved> {
  const { volume, path } = session;
  const { copy: copyPath } = journalNamesOf(path);
  const bytes = (await volume.facts(path))?.allocatedSize ?? source.fileSize;
  // Of a conversion that was cut off before its journal.
  await removeCopy(volume, copyPath);
  if (Number.isFinite(maxExtraSpace)) return { why: say`${option("max-extra-space")} leaves no room for them` };
  if ((await volume.freeSpace(path)) < bytes + ROOM_BESIDE) return { why: "the file system has no room for them" };
  await session.refuseChange();
  const copy = await session.clone(copyPath);
  if (copy === undefined) return { why: "the file system copies no file for nothing" };
  try {
    await copy.sync();
    await volume.syncFolderOf(copyPath);
    const isWhole =
      (await copy.size()) === source.fileSize && (await digestRanges(copy, source.metadata)) === source.metadataDigest;
    if (!isWhole) {
      throw new ImageError("verification-failed", say`Cannot trust the copy ${imageNamed(copyPath)}`, {
        because: "it is not what was copied",
        state: "nothing was written",
        path,
        operation: "verify",
      });
    }
    await session.refuseChange();
  } catch (error) {
    await copy.close().catch(() => {});
    await removeCopy(volume, copyPath).catch(() => {});
    throw error;
  }
  await copy.close();
  return { bytes };
}

/** Where a run ends with no journal that tells of it. */
export async function dropUntold({ volume, path }: Session): Promise<void> {
  const { journal, undo, copy } = journalNamesOf(path);
  if ((await volume.facts(journal)) || (await volume.facts(undo))) return;
  await removeCopy(volume, copy);
}

/** What `--keep-undo` keeps, for the output. */
export function savedNote(saved: Saved, path: string, format: string): Sentence {
  return "bytes" in saved
    ? say`The undo keeps the old bytes in ${journalNamesOf(path).copy}, which shares its space with the image and moves where that moves`
    : say`The undo keeps the way back to the same guest as ${format}, not the old bytes: ${saved.why}`;
}
