/**
 * Files that a step writes where its inputs say: each path is looked at before any image is touched, so that none takes
 * an image's place, and none turns out at the end to be beyond our reach.
 */

import { lstat, readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { outputFolderMistake } from "../../acquire/output-folder.ts";
import { imageExtensions } from "../../index.ts";
import { inputMistake } from "./input-mistakes.ts";
import type { Inputs } from "./inputs.ts";

type WrittenInput = "sha256sums" | "predicate";

/** A file that exists is replaced only where it is such a one, whatever it is called. */
const KINDS: Readonly<Record<WrittenInput, { readonly what: string; readonly isSuch: (text: string) => boolean }>> = {
  sha256sums: { what: "a list of SHA-256 checksums", isSuch: isChecksumList },
  predicate: { what: "a JSON object", isSuch: isJsonObject },
};
/** Larger than any of ours: of a hundred thousand images, each with a long path. */
const MAX_REPLACED_BYTES = 64 * 1024 * 1024;
/** Journals, undos and locks lie beside images under such names. */
const BESIDE_IMAGES = /\.inplace-[a-z-]+$/i;

/**
 * All that is wrong with the paths of `report`, `sha256sums` and `predicate`, one sentence each. Makes nothing.
 *
 * @param images paths of this step's images, those too that downloads will have
 */
export async function writtenFileMistakes(inputs: Inputs, images: readonly string[]): Promise<readonly string[]> {
  const taken = new Map(images.map((path) => [resolve(path), "an image of this step"]));
  const mistakes = [...(await reportMistakes(inputs, taken))];
  const { report } = inputs;
  for (const path of [report?.json, report?.page]) if (path !== undefined) taken.set(resolve(path), "the report");
  for (const input of ["sha256sums", "predicate"] as const) {
    const path = inputs[input];
    if (path === undefined) continue;
    const other = taken.get(resolve(path));
    const why = other ? `it is ${other}; name another path` : await whyUnusable(input, path);
    if (why !== undefined) mistakes.push(inputMistake(input, `Cannot use "${path}": ${why}`));
    taken.set(resolve(path), `the path of ${input} too`);
  }
  return mistakes;
}

/** Right before it is written: what a download has put there meanwhile is no more to be replaced than what was there. */
export async function refuseForeignFile(input: WrittenInput, path: string): Promise<void> {
  const why = await whyForeign(input, path);
  if (why !== undefined) throw new Error(`Cannot write ${path}: ${why}`);
}

async function whyUnusable(input: WrittenInput, path: string): Promise<string | undefined> {
  const lower = path.toLowerCase();
  const extension = imageExtensions().find((each) => lower.endsWith(each));
  if (extension !== undefined) return `${extension} is what images are called; name another path`;
  if (BESIDE_IMAGES.test(path)) return "what lies beside images is called so; name another path";
  return (await whyForeign(input, path)) ?? whyNoPlace(path);
}

/** Of a report the page and the JSON beside it, which replace whatever else is called so: their extensions are no image's. */
async function reportMistakes({ report }: Inputs, taken: ReadonlyMap<string, string>): Promise<readonly string[]> {
  if (report === undefined) return [];
  const mistakes: string[] = [];
  for (const path of [report.json, report.page]) {
    if (path === undefined) continue;
    const other = taken.get(resolve(path)) ?? ((await isFolder(path)) ? "a folder" : undefined);
    const why = other ? `${path} is ${other}; name another path` : await whyNoPlace(path);
    if (why !== undefined) mistakes.push(inputMistake("report", `Cannot use "${report.named}": ${why}`));
  }
  return [...new Set(mistakes)];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function whyNoPlace(path: string): Promise<string | undefined> {
  const folder = dirname(resolve(path));
  const mistake = await outputFolderMistake(folder);
  return mistake === undefined
    ? undefined
    : `its folder is no place for it: ${mistake.slice(`Cannot use ${folder}: `.length)}`;
}

async function whyForeign(input: WrittenInput, path: string): Promise<string | undefined> {
  const { what, isSuch } = KINDS[input];
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return "it is a folder; name a file";
    // A link is replaced, never what it leads to; but one to a device or a pipe is there for others.
    if (found.isSymbolicLink()) return (await leadsToFile(path)) ? undefined : "it leads to no regular file";
    if (!found.isFile()) return "it is no regular file; name another path";
    if (found.size === 0) return undefined;
    const isOurs = found.size <= MAX_REPLACED_BYTES && isSuch(await readFile(path, "utf8"));
    return isOurs ? undefined : `it exists and is not ${what}, and nothing else is replaced; name another path`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : message;
  }
}

/** One that leads nowhere is in nobody's way. */
async function leadsToFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch {
    return true;
  }
}

function isChecksumList(text: string): boolean {
  return text.split("\n").every((line) => line === "" || /^\\?[0-9a-f]{64} [ *]./.test(line));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
