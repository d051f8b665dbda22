/** Globs as runners know them: `*`, `?`, `[…]` and `**`, by @actions/glob. */

import { isAbsolute, join, normalize } from "node:path";
import { create } from "@actions/glob";

/** Absolute paths of the files, never folders, and never through a symbolic link. */
export async function expandGlob(pattern: string, excluded: readonly string[]): Promise<readonly string[]> {
  const patterns = [anchored(pattern), ...excluded.map((each) => `!${anchored(each)}`)];
  const globber = await create(patterns.join("\n"), {
    followSymbolicLinks: false,
    implicitDescendants: false,
    matchDirectories: false,
  });
  return globber.glob();
}

/** @actions/glob takes no `..`, so that it is resolved here; what the working folder's own name holds is no glob. */
function anchored(pattern: string): string {
  return isAbsolute(pattern) ? normalize(pattern) : join(literal(process.cwd()), pattern);
}

function literal(path: string): string {
  const escaped = process.platform === "win32" ? path : path.replaceAll("\\", "\\\\");
  return escaped.replaceAll(/[[?*]/g, "[$&]");
}
