/** The files and names that work on an image may touch, told before any is worked on. */

import { type BigIntStats, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { type InfoReport, info } from "../../index.ts";
import type { ImageToDo } from "./work.ts";

export interface FilesOfImage {
  /** Two images that have one in common must not be worked on side by side. */
  readonly keys: readonly string[];
  /** Of the files that hold it, in bytes. */
  readonly length: number;
}

/** As many files as a chain may have below its image. */
const MAX_CHAIN = 10;

/**
 * Its own file by whatever name; the files that it names, one below the other; all names that differ from one of these, or
 * from the one that it will have, in their extension: what lies beside an image is called after it.
 */
export async function filesOfImage(
  { path, newPath }: Pick<ImageToDo, "path" | "newPath">,
  format: string | undefined,
): Promise<FilesOfImage> {
  const keys = new Set([nameKey(path), nameKey(newPath)]);
  let length = 0;
  let below: readonly string[] = [path];
  for (let depth = 0; depth <= MAX_CHAIN && below.length > 0; depth++) {
    const next: string[] = [];
    for (const each of below) {
      const found = await infoOf(each, depth === 0 ? format : undefined);
      const children = found?.children.map(({ info: { filename } }) => filename) ?? [];
      for (const file of new Set([each, ...children])) {
        keys.add(nameKey(file));
        const facts = factsOf(file);
        if (facts === undefined) continue;
        keys.add(`${facts.dev}:${facts.ino}`);
        if (depth === 0) length += Number(facts.size);
      }
      next.push(...backingFilesOf(each, found));
    }
    below = next;
  }
  return { keys: [...keys], length };
}

/** What can't be opened names no other file that its work could touch. */
async function infoOf(path: string, format: string | undefined): Promise<InfoReport | undefined> {
  try {
    return await info(path, { forceShare: true, ...(format && { format, allowMarkedRaw: true }) });
  } catch {
    return undefined;
  }
}

function factsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** By the name that leads to the image, and by that to which links lead. */
function backingFilesOf(path: string, found: InfoReport | undefined): string[] {
  const { backingFilename, fullBackingFilename } = found ?? {};
  if (backingFilename === undefined || fullBackingFilename === undefined || backingFilename.includes("\0")) return [];
  return [...new Set([resolve(fullBackingFilename), resolve(dirname(realPath(path)), backingFilename)])];
}

/**
 * Some file systems tell no capitals apart, nor how an accent is put together. The descriptor of `disk-flat.vmdk` is
 * `disk.vmdk`.
 */
function nameKey(path: string): string {
  const name = basename(path);
  const stem = basename(name, extname(name)).normalize("NFC").toLowerCase();
  return join(realPath(dirname(resolve(path))), stem.replace(/-flat$/, ""));
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}
