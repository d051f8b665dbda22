/** A name for what isn't finished yet, which never looks as if it were, and the step to its own name. */

import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { ImageError } from "../index.ts";

/** Beside `path`; no extension of an image ends it, and no one else has it. */
export function partName(path: string): string {
  return `${path}.part-${randomBytes(4).toString("hex")}`;
}

/** @throws ImageError `in-use` where something is called so already */
export async function refuseTaken(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  throw taken(path);
}

/** Gives a finished part, a file or a folder, its name. What has the name already is never replaced. */
export async function finishPart(part: string, path: string, kind: "file" | "folder"): Promise<void> {
  // A rename replaces a file or an empty folder, so the name is taken with one of our own first.
  try {
    if (kind === "file") await (await open(path, "wx")).close();
    else await mkdir(path);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? taken(path) : error;
  }
  try {
    // Windows renames no folder over another.
    if (kind === "folder" && process.platform === "win32") await rmdir(path);
    await rename(part, path);
  } catch (error) {
    await rm(path, { recursive: kind === "folder", force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes what is left of a part, if anything is. */
export async function removePart(part: string): Promise<void> {
  await rm(part, { recursive: true, force: true }).catch(() => {});
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows opens no folders; the name is durable a little later there.
  }
}

function taken(path: string): ImageError {
  return new ImageError("in-use", `Cannot download to ${path}: it exists; move it away first`, {
    path,
    operation: "download",
  });
}
