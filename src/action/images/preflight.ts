/** What is looked at before a byte is touched, so that all mistakes are told at once. */

import { isAbsolute, relative } from "node:path";
import { type LocatedImage, locate } from "../../acquire/locate.ts";
import { crossCheckMistake } from "../../index.ts";
import { expandGlob } from "../inputs/expand-glob.ts";
import { inputMistake } from "../inputs/input-mistakes.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { writtenFileMistakes } from "../inputs/written-files.ts";
import type { Downloads } from "./downloads.ts";

export interface Preflight {
  readonly images: readonly LocatedImage[];
  /** Undefined where no line is a URL. */
  readonly downloads: Downloads | undefined;
  /** Paths, of `mode: collect`. */
  readonly reports: readonly string[];
  readonly mistakes: readonly string[];
  /** One sentence for each line that matches nothing, where that is no mistake. */
  readonly unmatched: readonly string[];
}

export async function preflight(inputs: Inputs, signal: AbortSignal): Promise<Preflight> {
  const located = inputs.images.length > 0 ? await locate(inputs.images, expandGlob) : NOTHING_LOCATED;
  const prepared = inputs.urls.length > 0 ? await prepareDownloads(inputs, signal) : NO_DOWNLOADS;
  const missing = inputs.mode === "collect" ? undefined : await crossCheckMistake(inputs.crossCheck, signal);
  const reports = inputs.mode === "collect" && inputs.reports !== "" ? await reportPaths(inputs.reports) : [];
  const places = [...located.images.map(({ path }) => path), ...(prepared.downloads?.places ?? [])];
  return {
    images: located.images,
    reports,
    downloads: prepared.downloads,
    mistakes: [
      ...[...located.mistakes, ...(inputs.ifNoImages === "error" ? located.missing : [])].map((mistake) =>
        inputMistake("image", mistake),
      ),
      ...(missing === undefined ? [] : [inputMistake("cross-check", missing)]),
      ...(inputs.mode === "collect" && reports.length === 0 && inputs.reports !== ""
        ? [inputMistake("reports", `Cannot find a report: nothing matches ${inputs.reports}`)]
        : []),
      ...prepared.mistakes,
      ...(await writtenFileMistakes(inputs, places)),
    ],
    unmatched: inputs.ifNoImages === "error" ? [] : located.missing,
  };
}

const NOTHING_LOCATED = { images: [], mistakes: [], missing: [] };
const NO_DOWNLOADS = { downloads: undefined, mistakes: [] };

/** The code for it is loaded only here. */
async function prepareDownloads(...words: Parameters<typeof Downloads.prepare>): ReturnType<typeof Downloads.prepare> {
  const { Downloads } = await import("./downloads.ts");
  return Downloads.prepare(...words);
}

async function reportPaths(reports: string): Promise<readonly string[]> {
  const patterns = reports.split("\n").map((line) => line.trim());
  const paths = new Set<string>();
  for (const pattern of patterns.filter((each) => each !== "")) {
    for (const path of (await expandGlob(pattern, [])).toSorted())
      paths.add(isAbsolute(pattern) ? path : relative("", path));
  }
  return [...paths];
}
