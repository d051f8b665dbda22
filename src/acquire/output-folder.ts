/** The folder in which downloads land: whether it is one, or could be made, before anything is fetched. */

import { access, constants, stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

/** A sentence; undefined where downloads can be written there. Makes nothing. */
export async function outputFolderMistake(path: string): Promise<string | undefined> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const name = at === resolve(path) ? "it" : relative("", at) || ".";
    try {
      if (!(await stat(at)).isDirectory()) return `Cannot use ${path}: ${name} is no folder`;
      await access(at, constants.W_OK);
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Below a file there is nothing: the file itself tells.
      const isMissing = code === "ENOENT" || code === "ENOTDIR";
      if (isMissing && dirname(at) !== at) continue;
      const why = code === "EACCES" || code === "EROFS" || code === "EPERM" ? `${name} can't be written` : message;
      return `Cannot use ${path}: ${why}`;
    }
  }
}
