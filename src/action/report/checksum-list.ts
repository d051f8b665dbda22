/** A SHA256SUMS of all resulting files, as `sha256sum --check` and `subject-checksums` of actions/attest read it. */

import { refuseForeignFile } from "../inputs/written-files.ts";
import type { FileDigest, ImageResult } from "../results/image-result.ts";
import { namesBeside } from "./relative-names.ts";
import { replaceFile } from "./replace-file.ts";

/** Names are relative to the list's folder. Throws an Error where something else lies at `path`. */
export async function writeChecksumList(path: string, results: readonly ImageResult[]): Promise<void> {
  await refuseForeignFile("sha256sums", path);
  const nameOf = await namesBeside(path);
  const lines: string[] = [];
  for (const { path: file, sha256 } of results.flatMap(({ files = [] }) => files)) {
    lines.push(checksumLine({ path: await nameOf(file), sha256 }));
  }
  await replaceFile(path, lines.join(""));
}

/** As coreutils write it: a name with a backslash or a line break has these escaped, and its line begins with one. */
export function checksumLine({ path, sha256 }: FileDigest): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === path ? "" : "\\"}${sha256}  ${escaped}\n`;
}
