/**
 * The commit that is a name: a text appears beside the image, or goes.
 *
 *   create, write, sync under a name of ours | link: the text has its own name | remove ours | sync the folder
 *                                            ^ refuses a name that is taken
 */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { Commit } from "../../image/target.ts";
import { besidePath, journalNamesOf } from "../../journal/names.ts";
import type { Volume } from "../../storage/storage.ts";

/** The image whose text it is. */
interface Place {
  readonly volume: Volume;
  readonly path: string;
}

/** What is done with a text, or taken back. */
interface NamedText {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Throws `in-use` where the name is taken; it is durable when this returns. */
export async function addText({ volume, path }: Place, { name, bytes }: NamedText): Promise<void> {
  const draft = journalNamesOf(path).text;
  const own = besidePath(path, name);
  await volume.remove(draft);
  const file = await volume.createExclusively(draft, path);
  if (file === undefined) throw taken(path, draft);
  try {
    try {
      await file.write(0, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!(await volume.link(draft, own))) throw taken(path, own);
  } catch (error) {
    await volume.remove(draft).catch(() => {});
    throw error;
  }
  await volume.remove(draft);
  await volume.syncFolderOf(own);
}

/** Whoever calls has just looked that it is the text that may go. */
export async function removeText({ volume, path }: Place, name: string): Promise<void> {
  const own = besidePath(path, name);
  await volume.remove(own);
  await volume.syncFolderOf(own);
}

/** What a cut may have left of a text that was on its way. */
export async function clearTextDraft({ volume, path }: Place): Promise<void> {
  const draft = journalNamesOf(path).text;
  await volume.remove(draft);
  await volume.syncFolderOf(draft);
}

/** Throws `in-use` where a text that shall come would find its name taken; nothing has been written. */
export async function refuseTakenText({ volume, path }: Place, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const own = besidePath(path, name);
  if (await volume.facts(own)) throw taken(path, own);
}

/** The text that a commit brings; undefined where it brings none. */
export function nameThatComes({ named }: Pick<Commit, "named">): string | undefined {
  return named?.comes ? named.name : undefined;
}

function taken(path: string, name: string): ImageError {
  return new ImageError("in-use", say`Cannot convert ${imageNamed(path)}`, {
    because: `${name} exists`,
    remedy: "move it away first",
    path,
    operation: "link",
  });
}
