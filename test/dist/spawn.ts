/** Starts the committed dist as a user does. */

import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const cli = join(root, "dist/cli.mjs");

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function spawnNode(words: readonly string[], cwd: string, node = process.execPath): Ended {
  const { status, stdout, stderr, error } = spawnSync(node, words, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { exitCode: status, stdout, stderr };
}

/** A folder that is gone after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The first Node on PATH that is none of our packages: the machine's own. */
export function machineNode(): string | undefined {
  const folders = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !/[\\/]node_modules[\\/]/.test(`${folder}/`));
  const names = process.platform === "win32" ? ["node.exe"] : ["node"];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
