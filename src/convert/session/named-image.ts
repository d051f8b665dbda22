/**
 * The file that holds the disk of the image that somebody names: that file itself, or, of a text that says what another file
 * is (a VMDK's descriptor), the other. There the lock, the journal and the watch are.
 */

import { basename, dirname, resolve } from "node:path";
import { MiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { diskOf, driverOf, filesNamedIn, isTextName, speaksOfDisk } from "../../formats/registry.ts";
import { Journal } from "../../journal/journal.ts";
import { besidePath, imageOfJournal, isJournalName, journalNamesOf } from "../../journal/names.ts";
import { readZeroFilled, type Sidecar, type Storage, type Volume } from "../../storage/storage.ts";

export interface NamedImage {
  readonly path: string;
  /** The plain name of the text beside it; undefined where the file speaks for itself. */
  readonly sidecar: string | undefined;
}

/** What is larger is no text. */
const MAX_TEXT_LENGTH = MiB;
/** A text's mark lies in here. */
const HEAD_LENGTH = 512;

/** `format` as the user says it. Throws ImageError where a text names what may not be opened. */
export async function namedImage(volume: Volume, path: string, format?: string): Promise<NamedImage> {
  const itself = { path, sidecar: undefined };
  if (format !== undefined && driverOf(format).diskOf === undefined) return itself;
  const facts = await volume.facts(path);
  // What else it may be is said by whoever opens it.
  if (facts?.kind !== "file" || facts.size > MAX_TEXT_LENGTH) return itself;
  const text = await volume.openForReading(path);
  try {
    const length = Math.min(await text.size(), MAX_TEXT_LENGTH + 1);
    // Of an image no more is read than tells that it is one.
    if (!speaksOfDisk(await readZeroFilled(text, 0, Math.min(length, HEAD_LENGTH)))) return itself;
    const disk = diskOf(await readZeroFilled(text, 0, length), path);
    if (disk === undefined) return itself;
    return { path: await diskBeside(volume, path, disk.fileName, text), sidecar: basename(path) };
  } finally {
    await text.close();
  }
}

/** Throws `unsupported` for a text under a name that our own files take, and are removed by. */
export function refuseOwnName(path: string, text: string | undefined): void {
  if (text === undefined || !isJournalName(text)) return;
  throw new ImageError("unsupported", say`Cannot work on ${imageNamed(path)}`, {
    because: `${text}, which says or shall say that it is its disk, has a name that a journal, undo or lock may take`,
    remedy: "give it another name",
    path,
    operation: "plan",
  });
}

/**
 * For recovery: also of a text that is gone, or not there yet, which a journal of its folder tells of; and where what bears
 * the name speaks of no disk, as an empty file that a cut left.
 */
export async function namedForRecovery(volume: Volume, path: string): Promise<NamedImage> {
  const itself = { path, sidecar: undefined };
  const { journal, undo } = journalNamesOf(path);
  for (const own of [journal, undo]) if (await volume.facts(own)) return itself;
  if ((await volume.facts(path)) === undefined) return (await spokenOf(volume, path)) ?? itself;
  let failure: unknown;
  const named = await namedImage(volume, path).catch((error: unknown) => {
    failure = error;
  });
  if (named?.sidecar !== undefined) return named;
  const spoken = isTextName(path) ? await spokenOf(volume, path) : undefined;
  if (spoken !== undefined) return spoken;
  if (named === undefined) throw failure;
  return named;
}

/** The image whose journal, in the same folder, speaks of a text of that name. */
async function spokenOf(volume: Volume, path: string): Promise<NamedImage | undefined> {
  const sidecar = basename(path);
  for (const name of await volume.namesBeside(path).catch(() => [])) {
    const image = imageOfJournal(name);
    if (image === undefined) continue;
    const imagePath = besidePath(path, image);
    // Another image's may be damaged.
    const found = await Journal.find(volume, imagePath).catch(() => "none" as const);
    if (typeof found === "string") continue;
    await found.close();
    if (found.work.intent.record !== "repair" && found.work.intent.sidecar === sidecar)
      return { path: imagePath, sidecar };
  }
  return undefined;
}

/** The file that a text names: a plain name, no link, no device, not the text itself and nothing of ours. Throws ImageError. */
export async function diskBeside(volume: Volume, path: string, name: string, text: Storage): Promise<string> {
  const disk = besidePath(path, name);
  const facts = await volume.facts(disk);
  const refuse = (because: string) =>
    new ImageError(facts ? "unsupported" : "io", say`Cannot open ${imageNamed(path)}`, {
      because,
      ...(!facts && { remedy: "put it there, under that name" }),
      path,
      operation: "open",
    });
  if (!facts) throw refuse(`${disk}, which it says holds its disk, is not there`);
  if (facts.kind !== "file" || isJournalName(name))
    throw refuse(`${disk}, which it says holds its disk, is no regular file`);
  if (await volume.isSameFile(disk, text)) throw refuse("it says that it holds its disk itself");
  return disk;
}

/** The text under a name, bounded; undefined where none is there, or something else is, or its head is not as wanted. */
export async function readText(
  volume: Volume,
  imagePath: string,
  name: string,
  isWanted: (head: Uint8Array) => boolean = () => true,
): Promise<Sidecar | undefined> {
  const path = besidePath(imagePath, name);
  const facts = await volume.facts(path);
  if (facts?.kind !== "file") return undefined;
  const storage = await volume.openForReading(path);
  try {
    const length = Math.min(await storage.size(), MAX_TEXT_LENGTH + 1);
    if (!isWanted(await readZeroFilled(storage, 0, Math.min(length, HEAD_LENGTH)))) return undefined;
    return { name, bytes: await readZeroFilled(storage, 0, length) };
  } finally {
    await storage.close();
  }
}

/** Names in one folder beyond which none is looked at. */
const MAX_TEXTS = 1000;

/** The image whose texts are looked for; `isItself` tells whether a path leads to its file. */
interface TextsOf {
  readonly volume: Volume;
  readonly path: string;
  isItself(path: string): Promise<boolean>;
}

/**
 * The name of a text beside the image, other than its own, that says the image's file holds its disk or a part of it: also
 * of one that can't be opened here, and by a link or a path, since others open it.
 */
export async function otherTextOf(image: TextsOf, own: string | undefined): Promise<Sidecar | undefined> {
  const { volume, path } = image;
  const names = await volume.namesBeside(path).catch(() => []);
  const texts = names.filter((name) => name !== own && name !== basename(path) && isTextName(name));
  const folders = [dirname(resolve(path)), await volume.realFolderOf(path).catch(() => "")];
  for (const name of texts.slice(0, MAX_TEXTS)) {
    // Of an image no more is read than tells that it is one.
    const text = await readText(volume, path, name, speaksOfDisk).catch(() => undefined);
    if (text === undefined) continue;
    for (const file of filesNamedIn(text.bytes)) {
      // What lies in another folder is not looked at.
      const folder = folders.find((each) => dirname(resolve(each, file)) === each);
      if (folder === undefined) continue;
      const plain = basename(resolve(folder, file));
      if (plain === basename(path) || (await image.isItself(besidePath(path, plain)).catch(() => false))) return text;
    }
  }
  return undefined;
}

/**
 * Throws `in-use` where another text than the image's own says that its file holds its disk: once that is no raw disk any
 * more, whoever boots by that text destroys it.
 */
export async function refuseOtherTexts(image: TextsOf, own: string | undefined): Promise<void> {
  const { path } = image;
  const text = await otherTextOf(image, own);
  if (text === undefined) return;
  throw new ImageError("in-use", say`Cannot convert ${imageNamed(path)}`, {
    because: `${besidePath(path, text.name)} says that it is its disk, and would show something else then`,
    remedy: "convert that one, or move it away first",
    path,
    operation: "plan",
  });
}

/** Whether a text says that the file at `path` is its disk. */
export function isTextOf(text: Sidecar, path: string): boolean {
  try {
    return diskOf(text.bytes, besidePath(path, text.name))?.fileName === basename(path);
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}
