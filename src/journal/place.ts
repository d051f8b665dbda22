/** Where a journal's records lie: beside the image, or elsewhere (`--journal`) with a pointer beside it. */

import { basename, join, relative, resolve, sep } from "node:path";
import { ImageError, UsageError } from "../bytes/image-error.ts";
import { imageNamed, option, say } from "../bytes/sentence.ts";
import type { Volume, WritableStorage } from "../storage/storage.ts";
import {
  draftElsewhere,
  isJournalName,
  type JournalNames,
  journalNamesOf,
  refuseLongNames,
  sameNameKey,
} from "./names.ts";
import { encodeRecord } from "./record.ts";
import type { Pointer } from "./records.ts";

/** Makes a journal's file; throws `in-use` where the name is taken. */
export async function createNew(volume: Volume, path: string): Promise<WritableStorage> {
  const storage = await volume.createExclusively(path);
  if (storage) return storage;
  throw taken(path);
}

/** `path` is given from the image's real folder to the journal's, so that it is found however the image is named. */
export async function createPointer(
  volume: Volume,
  names: JournalNames,
  journalId: Uint8Array,
  path: string,
): Promise<void> {
  const facts: Pointer = {
    record: "pointer",
    path: relative(await volume.realFolderOf(names.journal), await realPlace(volume, path)),
  };
  const pointer = await createNew(volume, names.journal);
  try {
    await pointer.write(0, encodeRecord(journalId, 0, facts, new Uint8Array(0)));
    await pointer.sync();
    await volume.syncFolderOf(names.journal);
  } catch (error) {
    await volume.remove(names.journal).catch(() => {});
    // The journal goes next: a pointer that comes back after a power cut would point at nothing.
    await volume.syncFolderOf(names.journal).catch(() => {});
    throw error;
  } finally {
    await pointer.close();
  }
}

/** The file that a pointer beside the image names. */
export async function pointedAt(volume: Volume, beside: string, pointer: Pointer): Promise<string> {
  return resolve(await volume.realFolderOf(beside), pointer.path);
}

/**
 * The place that was asked for, undefined for the usual one. Looks only.
 *
 * @throws UsageError for a name that means something else, here or to another image
 * @throws ImageError `in-use` where something is there, `io` where its folder can't be found, `unsupported` for a name
 * that is too long
 */
export async function otherPlace(
  volume: Volume,
  imagePath: string,
  asked: string | undefined,
): Promise<string | undefined> {
  if (asked === undefined) return undefined;
  const refuse = (what: string) => {
    throw new UsageError(`Cannot keep the journal at ${asked}: ${what}`);
  };
  if (asked === "" || asked.includes("\0")) refuse("that is no name; give a path");
  if (asked.endsWith("/") || asked.endsWith(sep) || [".", ".."].includes(basename(asked))) {
    refuse("that is a folder; name a file in it");
  }
  refuseLongNames(imagePath, asked);
  const place = await realPlace(volume, asked);
  const names = journalNamesOf(await realPlace(volume, imagePath));
  if (place === names.journal) return undefined;
  const key = sameNameKey(place);
  const own = [await realPlace(volume, imagePath), ...Object.values(names)];
  if (own.some((name) => sameNameKey(name) === key)) refuse("that name is the image's own; choose another");
  if (isJournalName(place)) refuse("that name is a journal's, undo's or lock's of another image; choose another");
  const there = await volume.facts(asked);
  if (there?.kind === "folder") refuse("that is a folder; name a file in it");
  if (there) throw taken(asked);
  // Replacing the journal would replace it too.
  if (await volume.facts(draftElsewhere(asked))) throw taken(draftElsewhere(asked));
  // A link's target may lie deeper than its own name.
  refuseLongNames(imagePath, place);
  return asked;
}

/** The mistakes of `otherPlace` alone: what no state of the folder makes right. Throws UsageError. */
export async function refuseMisplacedJournal(volume: Volume, path: string, asked: string | undefined): Promise<void> {
  try {
    await otherPlace(volume, path, asked);
  } catch (error) {
    if (error instanceof UsageError) throw error;
  }
}

/** The path without links in its folder; the file itself need not be there. */
async function realPlace(volume: Volume, path: string): Promise<string> {
  return join(await volume.realFolderOf(path), basename(resolve(path)));
}

function taken(path: string): ImageError {
  return new ImageError("in-use", "Cannot make the journal", {
    because: say`${imageNamed(path)} exists`,
    remedy: say`move it away or name another with ${option("journal")}; if a run that was cut off left it, no image has a journal or an undo beside it that points there, and it can be removed`,
    path,
    operation: "create",
  });
}
