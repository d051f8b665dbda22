/** Where a journal's records lie: beside the image, or elsewhere (`--journal`) with a pointer beside it. */

import { dirname, relative, resolve } from "node:path";
import { ImageError, UsageError } from "../bytes/image-error.ts";
import type { Volume, WritableStorage } from "../storage/storage.ts";
import { draftOf, type JournalNames, journalNamesOf } from "./names.ts";
import { encodeRecord } from "./record.ts";
import type { Pointer } from "./state.ts";

/** Makes a journal's file; throws `in-use` where the name is taken. */
export async function createNew(volume: Volume, path: string): Promise<WritableStorage> {
  const storage = await volume.createExclusively(path);
  if (storage) return storage;
  throw new ImageError(
    "in-use",
    `Cannot make the journal: ${path} exists; move it away or name another with --journal`,
    {
      path,
      operation: "create",
    },
  );
}

export async function createPointer(
  volume: Volume,
  names: JournalNames,
  journalId: Uint8Array,
  path: string,
): Promise<void> {
  const pointer = await createNew(volume, names.journal);
  const facts: Pointer = { record: "pointer", path: relative(dirname(names.journal), path) };
  try {
    await pointer.write(0, encodeRecord(journalId, 0, facts, new Uint8Array(0)));
    await pointer.sync();
    await volume.syncFolderOf(names.journal);
  } catch (error) {
    await volume.remove(names.journal).catch(() => {});
    throw error;
  } finally {
    await pointer.close();
  }
}

/** The place that was asked for, undefined for the usual one. Throws UsageError for a name that means something else. */
export function otherPlace(imagePath: string, asked: string | undefined): string | undefined {
  if (asked === undefined) return undefined;
  const { journal, undo, lock } = journalNamesOf(imagePath);
  const isAt = (path: string) => resolve(path) === resolve(asked);
  if (isAt(journal)) return undefined;
  const taken = [imagePath, undo, lock, draftOf(journal), draftOf(undo)].find(isAt);
  if (taken === undefined) return asked;
  throw new UsageError(`Cannot keep the journal at ${asked}: that name is the image's own; choose another`);
}
