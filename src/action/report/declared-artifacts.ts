/**
 * Results declared to the runner as artifacts of the job: one line each in the file that `$GITHUB_ARTIFACTS` names, from
 * which `actions/attest` takes its subjects where it is given none. A runner fails the step for a line that it can't take, so
 * that each is held to its rules first (CreateArtifactsFileCommand of actions/runner).
 */

import { appendFile, readFile } from "node:fs/promises";
import { basename, isAbsolute, relative, resolve, sep } from "node:path";
import type { ImageResult } from "../results/image-result.ts";

/** Of a whole job. */
const MAX_ARTIFACTS = 500;
/** Of one step's lines. */
const MAX_BYTES = 1024 * 1024;

/** What a job's container has of the runner; of other places the runner knows only what is mounted, and fails for the rest. */
const WORK_OF_CONTAINER = "/__w/";

/** What may be written, and a sentence for each file that is left out. */
export interface Declarations {
  readonly lines: readonly string[];
  readonly leftOut: readonly string[];
}

/** Does nothing where the runner has no such file. @returns sentences for the log */
export async function declareArtifacts(
  results: readonly ImageResult[],
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const { GITHUB_ARTIFACTS: path, GITHUB_ARTIFACTS_LIST: list, GITHUB_WORKSPACE: workspace } = environment;
  if (!path) return [];
  try {
    const declared = list ? namesIn(await readFile(list, "utf8")) : [];
    const { lines, leftOut } = declarationsOf(results, declared, workspace || process.cwd());
    if (lines.length > 0) await appendFile(path, lines.map((line) => `${line}\n`).join(""));
    return leftOut;
  } catch (error) {
    // The images are what counts: who needs the list finds it empty, and says so.
    return [`Cannot declare artifacts: ${error instanceof Error ? error.message : error}`];
  }
}

/** @param declared names that earlier steps of the job took */
export function declarationsOf(
  results: readonly ImageResult[],
  declared: readonly string[],
  workspace: string,
): Declarations {
  const names = new Set(declared);
  const lines: string[] = [];
  const leftOut: string[] = [];
  for (const path of results.flatMap(filesOf)) {
    const why = names.has(basename(path)) ? "this job has one of that name" : unwritable(path, workspace);
    if (why === undefined) lines.push(lineOf(path, workspace));
    else leftOut.push(`${path} is not declared as an artifact: ${why}`);
    names.add(basename(path));
  }
  // Some of them would pass for all.
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  if (names.size <= MAX_ARTIFACTS && bytes <= MAX_BYTES) return { lines, leftOut };
  return {
    lines: [],
    leftOut: [`No artifact is declared: a runner takes ${MAX_ARTIFACTS} of a job in 1 MiB of lines`],
  };
}

function filesOf({ path, files }: ImageResult): readonly string[] {
  return files?.map((file) => file.path) ?? (path === undefined ? [] : [path]);
}

function unwritable(path: string, workspace: string): string | undefined {
  if (/[=\r\n]|\s$/.test(path)) return "its path can't be written as a line of the list";
  const isSeen = !workspace.startsWith(WORK_OF_CONTAINER) || resolve(path).startsWith(WORK_OF_CONTAINER);
  return isSeen ? undefined : "the runner does not see that place of its job's container";
}

/** Relative to the workspace where it lies there, since a container has other absolute paths. */
function lineOf(path: string, workspace: string): string {
  const inside = relative(workspace, resolve(path));
  const isInside = !isAbsolute(inside) && inside.split(sep)[0] !== "..";
  const line = isInside ? inside : resolve(path);
  // What would be taken for a comment, a URL or a container's image is said to be a file.
  return /^[#\s]|:\/\/|@sha\d+:/.test(line) ? `file://${line}` : line;
}

/** Of the document in which a runner tells what the job has declared so far; none where it is no such document. */
function namesIn(text: string): readonly string[] {
  if (text.trim() === "") return [];
  const { subjects } = JSON.parse(text) as { readonly subjects?: unknown };
  if (!Array.isArray(subjects)) return [];
  return subjects.flatMap(({ name }: { readonly name?: unknown }) => (typeof name === "string" ? [name] : []));
}
