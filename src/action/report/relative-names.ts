/** Names of files as a file beside them tells them, whatever links lead to their folders. */

import { mkdir, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

/** Makes the folder of `path` where it is missing. The names are relative to it, with `/` between their parts. */
export async function namesBeside(path: string): Promise<(file: string) => Promise<string>> {
  await mkdir(dirname(path), { recursive: true });
  const folder = await realpath(dirname(path));
  return async (file) => relative(folder, join(await realpath(dirname(file)), basename(file))).replaceAll(sep, "/");
}
