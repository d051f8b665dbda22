/** A finished image gets a new name in its own folder; its undo goes with it, and nothing is ever replaced. */

import { dirname, resolve } from "node:path";
import { ImageError, UsageError } from "../bytes/image-error.ts";
import { imageNamed, say } from "../bytes/sentence.ts";
import { Lock } from "../journal/lock.ts";
import { besidePath, journalNamesOf, refuseLongNames } from "../journal/names.ts";
import { FileVolume } from "../storage/file/file-volume.ts";
import type { Volume } from "../storage/storage.ts";
import { diskFileOf } from "./inspect/opened-chain.ts";
import { pathMistakes, refuseMistakes } from "./options/option-rules.ts";
import { unfinished } from "./reading/unfinished.ts";
import { type Host, thisHost } from "./session/host.ts";
import { otherTextOf } from "./session/named-image.ts";

/**
 * Renames an image, and its `.inplace-undo` where there is one. The undo of a flat VMDK lies beside its disk and needs the
 * descriptor's old name: whoever rolls back renames that first.
 *
 * @throws ImageError `in-use` where the new name, or one that belongs to it, is taken, or where a descriptor says that the
 * file is its disk; `interrupted` while a
 * conversion is open; `io`. The image then has its old name.
 * @throws UsageError for a name in another folder
 */
export async function renameImage(path: string, newPath: string, host: Host = thisHost()): Promise<void> {
  refuseMistakes([...pathMistakes(path), ...pathMistakes(newPath, "newPath")]);
  if (dirname(resolve(path)) !== dirname(resolve(newPath))) {
    throw new UsageError(`Cannot rename ${path} to ${newPath}: the new name must lie in the same folder`);
  }
  const { volume } = host;
  // A text's is that of the disk which it names: who converts either of them has it.
  const disk = await diskFileOf(volume, path);
  const lock = await Lock.acquire(volume, disk, host.processes);
  try {
    const state = await unfinished(path, volume);
    if (state === "open" || state === "verified") {
      throw new ImageError("interrupted", say`Cannot rename ${imageNamed(path)}`, {
        because: "a conversion of it is open",
        remedy: "resume or roll it back first",
        path,
        operation: "rename",
      });
    }
    await refuseTakenName(path, newPath, volume);
    if (disk === path) await refuseNamedDisk(volume, path);
    await moveTo(volume, path, newPath);
    // The undo second: cut in between, the image has its new name and an undo of the old one, which proves nothing.
    if (state === "undo") {
      const [from, to] = [journalNamesOf(path), journalNamesOf(newPath)];
      if (await volume.facts(from.copy)) await moveTo(volume, from.copy, to.copy);
      // That of a text lies beside the disk that it names.
      if (await volume.facts(from.undo)) await moveTo(volume, from.undo, to.undo);
    }
  } finally {
    await lock.release();
  }
}

/**
 * Changes nothing.
 *
 * @throws ImageError `in-use` where `newPath`, its journal, undo or lock exists: an orphaned undo must not become this
 * image's; `unsupported` where those names would be too long
 */
export async function refuseTakenName(path: string, newPath: string, volume: Volume = new FileVolume()): Promise<void> {
  refuseMistakes([...pathMistakes(path), ...pathMistakes(newPath, "newPath")]);
  refuseLongNames(newPath);
  for (const name of [newPath, ...Object.values(journalNamesOf(newPath))]) {
    if (!(await volume.facts(name))) continue;
    throw new ImageError("in-use", say`Cannot rename ${imageNamed(path)} to ${newPath}`, {
      because: `${name} exists`,
      remedy: "move it away first",
      path,
      operation: "rename",
    });
  }
}

/** Throws `in-use` where a text beside it names the file as its disk, which it would not find any more. */
async function refuseNamedDisk(volume: Volume, path: string): Promise<void> {
  if ((await volume.facts(path))?.kind !== "file") return;
  const storage = await volume.openForReading(path);
  try {
    const isItself = (each: string) => volume.isSameFile(each, storage);
    const text = await otherTextOf({ volume, path, isItself }, undefined);
    if (text === undefined) return;
    throw new ImageError("in-use", say`Cannot rename ${imageNamed(path)}`, {
      because: `${besidePath(path, text.name)} says that it is its disk, and would not find it any more`,
      remedy: "convert that one, or move it away first",
      path,
      operation: "rename",
    });
  } finally {
    await storage.close();
  }
}

/** A rename replaces what bears the name, so the name is taken with an empty file of our own first. */
async function moveTo(volume: Volume, from: string, to: string): Promise<void> {
  const taken = await volume.createExclusively(to);
  if (taken === undefined) {
    throw new ImageError("in-use", `Cannot rename ${from} to ${to}`, {
      because: `${to} exists`,
      remedy: "move it away first",
      path: from,
      operation: "rename",
    });
  }
  try {
    await taken.close();
    await volume.rename(from, to);
  } catch (error) {
    await volume.remove(to);
    throw error;
  }
  await volume.syncFolderOf(to);
}
