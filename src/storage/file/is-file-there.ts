/** Whether a file of this program itself lies where it is looked for. */

import { existsSync } from "node:fs";

/** False too where `url` names no file, but what is inside another one. */
export function isFileThere(url: URL): boolean {
  return url.protocol === "file:" && existsSync(url);
}
